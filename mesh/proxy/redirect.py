"""Redirection of a pod's traffic to its sidecar, by an init container with iptables rules or by Istio's CNI plugin.

This module has the parts that all releases share; each release assembles its init container and annotations.
"""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy
from mesh.proxy.annotations import STATUS_PORT
from mesh.proxy.expr import Node, Value, any_of, join, negate, not_equal, number, ternary, value_or, when
from mesh.proxy.inputs import Inputs

OUTBOUND_PORT: Final = 15001
"""Envoy's port to which outbound traffic is redirected."""
INBOUND_PORT: Final = 15006
"""Envoy's port to which inbound traffic is redirected."""
MODE: Final = "sidecar.istio.io/interceptionMode"
TRAFFIC: Final = "traffic.sidecar.istio.io/"
NETWORKS: Final = "k8s.v1.cni.cncf.io/networks"
INTERFACES: Final = f"{TRAFFIC}kubevirtInterfaces"
OUTBOUND: Final = {"includeOutboundPorts": "-q", "excludeOutboundPorts": "-o"}
"""Annotations that include or exclude outbound ports, and the flag of `istio-iptables` for each."""
VALIDATION: Final = ("--run-validation", "--skip-rule-apply")
"""Arguments of `istio-iptables` that only validate the rules."""


def interception_mode(inputs: Inputs) -> Value:
    """How inbound traffic is redirected: REDIRECT, TPROXY or NONE."""
    return inputs.annotation(MODE, inputs.interception_mode)


def status_port(inputs: Inputs) -> Value:
    """The agent's port for probes and merged metrics; 0 disables the readiness probe."""
    return inputs.annotation(STATUS_PORT, inputs.setting("global.proxy.statusPort"))


def init_name(cni: Value) -> Value:
    """The init container's name; with the CNI plugin it only validates that the rules are in place."""
    return ternary(cni, "istio-validation", "istio-init")


def plugin_annotations(inputs: Inputs, included_inbound: Value) -> dict[str, Node]:
    """The annotations that tell the CNI plugin which traffic to redirect."""
    ranges = {name: inputs.annotation(TRAFFIC + name, default) for name, default in _ranges(inputs).items()}
    ports = {name: _outbound_ports(inputs, name) for name in OUTBOUND}
    return {
        MODE: interception_mode(inputs),
        **{TRAFFIC + name: when(value, value) for name, value in ranges.items()},
        f"{TRAFFIC}includeInboundPorts": included_inbound,
        f"{TRAFFIC}excludeInboundPorts": _excluded_inbound(inputs),
        **{TRAFFIC + name: when(given, value) for name, (given, value) in ports.items()},
    }


def pull_policy(inputs: Inputs) -> Node:
    """The image pull policy of the installation; absent if it has none."""
    policy = inputs.setting("global.imagePullPolicy")
    return when(policy, policy)


def rules_args(inputs: Inputs, included_inbound: Value, outbound: Value, inbound: Value, user: Value) -> list[Node]:
    """The arguments of `istio-iptables` for the redirection to Envoy's ports `outbound` and `inbound`; `user` is that
    of the proxy, whose own traffic is not redirected."""
    include, exclude = [inputs.annotation(TRAFFIC + name, default) for name, default in _ranges(inputs).items()]
    own = f"{proxy.METRICS_PORT},{proxy.HEALTH_PORT}"
    excluded = _excluded_inbound(inputs)
    flags: list[Node] = [
        ["-p", outbound, "-z", inbound, "-u", user, "-m", interception_mode(inputs)],
        ["-i", include, "-x", exclude, "-b", included_inbound],
        ["-d", ternary(not_equal(excluded, ""), join(own, ",", excluded), own)],
    ]
    for name, flag in OUTBOUND.items():
        given, ports = _outbound_ports(inputs, name)
        flags.append(when(given, [flag, ports]))
    return ["istio-iptables", *flags]


def security(inputs: Inputs, cni: Value, user: Value, group: Value) -> dict[str, Node]:
    """The security context: writing iptables rules needs root and two capabilities, validating them needs neither."""
    rules = negate(cni)
    privileged = inputs.setting("global.proxy.privileged", "plain")
    return {
        "privileged": privileged,
        "allowPrivilegeEscalation": privileged,
        "readOnlyRootFilesystem": negate(rules),
        "runAsNonRoot": negate(rules),
        "runAsUser": number(ternary(rules, 0, user)),
        "runAsGroup": number(ternary(rules, 0, group)),
        "capabilities": {"drop": ["ALL"], "add": when(rules, ["NET_ADMIN", "NET_RAW"])},
    }


def _ranges(inputs: Inputs) -> dict[str, Value]:
    return {
        "includeOutboundIPRanges": inputs.setting("global.proxy.includeIPRanges"),
        "excludeOutboundIPRanges": inputs.setting("global.proxy.excludeIPRanges"),
    }


def _excluded_inbound(inputs: Inputs) -> Value:
    """Inbound ports that bypass the sidecar; the agent's status port is always one of them."""
    excluded = inputs.annotation(f"{TRAFFIC}excludeInboundPorts", inputs.setting("global.proxy.excludeInboundPorts"))
    return inputs.exclude_port(status_port(inputs), excluded)


def _outbound_ports(inputs: Inputs, name: str) -> tuple[Value, Value]:
    """Whether the pod or the installation sets the ports of annotation `name`, and their value."""
    everyone = value_or(inputs.setting(f"global.proxy.{name}"), "")
    annotation = TRAFFIC + name
    return any_of(inputs.annotated(annotation), not_equal(everyone, "")), inputs.annotation(annotation, everyone)
