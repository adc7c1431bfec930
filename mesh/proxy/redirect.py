"""Redirection of a pod's traffic to its sidecar, by an init container with iptables rules or by Istio's CNI plugin."""

from __future__ import annotations

from typing import Final

from mesh.core.names import CNI
from mesh.proxy import proxy
from mesh.proxy.annotations import STATUS_PORT
from mesh.proxy.expr import Node, Value, any_of, each, join, negate, not_equal, number, ternary, value_or, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.overrides import image, resources
from mesh.proxy.proxy import env_var

OUTBOUND_PORT: Final = 15001
"""Envoy's port to which outbound traffic is redirected."""
INBOUND_PORT: Final = 15006
"""Envoy's port to which inbound traffic is redirected."""
MODE: Final = "sidecar.istio.io/interceptionMode"
TRAFFIC: Final = "traffic.sidecar.istio.io/"
CNI_ENABLED: Final = "istio_cni.enabled"
NETWORKS: Final = "k8s.v1.cni.cncf.io/networks"
INTERFACES: Final = f"{TRAFFIC}kubevirtInterfaces"
OUTBOUND: Final = {"includeOutboundPorts": "-q", "excludeOutboundPorts": "-o"}
"""Annotations that include or exclude outbound ports, and the flag of `istio-iptables` for each."""


def interception_mode(inputs: Inputs) -> Value:
    """How inbound traffic is redirected: REDIRECT, TPROXY or NONE."""
    return inputs.annotation(MODE, inputs.interception_mode)


def status_port(inputs: Inputs) -> Value:
    """The agent's port for probes and merged metrics; 0 disables the readiness probe."""
    return inputs.annotation(STATUS_PORT, inputs.setting("global.proxy.statusPort"))


def init_container(inputs: Inputs) -> Node:
    """The init container that sets up iptables rules, or with the CNI plugin only validates that they are in place."""
    cni = inputs.setting(CNI_ENABLED)
    container: Node = {
        "name": ternary(cni, "istio-validation", "istio-init"),
        "image": image(inputs, "proxy_init"),
        "imagePullPolicy": pull_policy(inputs),
        "args": _args(inputs),
        "env": each(inputs.proxy_metadata, env_var),
        "resources": resources(inputs),
        "securityContext": _security(inputs),
    }
    return when(not_equal(interception_mode(inputs), "NONE"), container)


def cni_annotations(inputs: Inputs) -> dict[str, Node]:
    """The annotations from which the CNI plugin reads the redirection; absent without the plugin."""
    cni = inputs.setting(CNI_ENABLED)
    ranges = {name: inputs.annotation(TRAFFIC + name, default) for name, default in _ranges(inputs).items()}
    ports = {name: _outbound_ports(inputs, name) for name in OUTBOUND}
    interfaces = inputs.annotation(INTERFACES)
    networks = inputs.append_network(inputs.annotation(NETWORKS), CNI)
    found: dict[str, Node] = {
        NETWORKS: when(negate(inputs.setting("istio_cni.chained")), networks),
        MODE: interception_mode(inputs),
        **{TRAFFIC + name: when(value, value) for name, value in ranges.items()},
        f"{TRAFFIC}includeInboundPorts": _included_inbound(inputs),
        f"{TRAFFIC}excludeInboundPorts": _excluded_inbound(inputs),
        **{TRAFFIC + name: when(given, value) for name, (given, value) in ports.items()},
        INTERFACES: when(interfaces, interfaces),
    }
    return {name: when(cni, value) for name, value in found.items()}


def pull_policy(inputs: Inputs) -> Node:
    """The image pull policy of the installation; absent if it has none."""
    policy = inputs.setting("global.imagePullPolicy")
    return when(policy, policy)


def _ranges(inputs: Inputs) -> dict[str, Value]:
    return {
        "includeOutboundIPRanges": inputs.setting("global.proxy.includeIPRanges"),
        "excludeOutboundIPRanges": inputs.setting("global.proxy.excludeIPRanges"),
    }


def _included_inbound(inputs: Inputs) -> Value:
    return inputs.annotation(f"{TRAFFIC}includeInboundPorts", "*")


def _excluded_inbound(inputs: Inputs) -> Value:
    """Inbound ports that bypass the sidecar; the agent's status port is always one of them."""
    excluded = inputs.annotation(f"{TRAFFIC}excludeInboundPorts", inputs.setting("global.proxy.excludeInboundPorts"))
    return inputs.exclude_port(status_port(inputs), excluded)


def _outbound_ports(inputs: Inputs, name: str) -> tuple[Value, Value]:
    """Whether the pod or the installation sets the ports of annotation `name`, and their value."""
    everyone = value_or(inputs.setting(f"global.proxy.{name}"), "")
    annotation = TRAFFIC + name
    return any_of(inputs.annotated(annotation), not_equal(everyone, "")), inputs.annotation(annotation, everyone)


def _args(inputs: Inputs) -> list[Node]:
    include, exclude = [inputs.annotation(TRAFFIC + name, default) for name, default in _ranges(inputs).items()]
    own = f"{proxy.METRICS_PORT},{proxy.HEALTH_PORT}"
    excluded = _excluded_inbound(inputs)
    flags: list[Node] = [
        ["-p", str(OUTBOUND_PORT), "-z", str(INBOUND_PORT), "-u", str(proxy.USER), "-m", interception_mode(inputs)],
        ["-i", include, "-x", exclude, "-b", _included_inbound(inputs)],
        ["-d", ternary(not_equal(excluded, ""), join(own, ",", excluded), own)],
    ]
    for name, flag in OUTBOUND.items():
        given, ports = _outbound_ports(inputs, name)
        flags.append(when(given, [flag, ports]))
    flags.append(when(inputs.annotated(INTERFACES), ["-k", inputs.annotation(INTERFACES)]))
    flags.append(when(inputs.setting(CNI_ENABLED), ["--run-validation", "--skip-rule-apply"]))
    return ["istio-iptables", *flags]


def _security(inputs: Inputs) -> Node:
    """The security context: writing iptables rules needs root and two capabilities, validating them needs neither."""
    cni = inputs.setting(CNI_ENABLED)
    rules = negate(cni)
    privileged = inputs.setting("global.proxy.privileged", "plain")
    return {
        "privileged": privileged,
        "allowPrivilegeEscalation": privileged,
        "readOnlyRootFilesystem": negate(rules),
        "runAsNonRoot": negate(rules),
        "runAsUser": number(ternary(rules, 0, proxy.USER)),
        "runAsGroup": number(ternary(rules, 0, proxy.USER)),
        "capabilities": {"drop": ["ALL"], "add": when(rules, ["NET_ADMIN", "NET_RAW"])},
    }
