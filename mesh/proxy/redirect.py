"""How a pod's traffic reaches its sidecar: an init container's iptables rules, or Istio's network plugin (CNI)."""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy
from mesh.proxy.annotations import STATUS_PORT
from mesh.proxy.expr import Node, Value, choose, differs, each, either, join, negate, number, value_or, when
from mesh.proxy.overrides import image, resources
from mesh.proxy.proxy import variable
from mesh.proxy.source import Source

OUTBOUND_PORT: Final = 15001
"""Where the pod's outgoing traffic is redirected to."""
INBOUND_PORT: Final = 15006
"""Where the pod's incoming traffic is redirected to."""
MODE: Final = "sidecar.istio.io/interceptionMode"
TRAFFIC: Final = "traffic.sidecar.istio.io/"
CNI: Final = "istio_cni.enabled"
NETWORKS: Final = "k8s.v1.cni.cncf.io/networks"
CNI_NETWORK: Final = "istio-cni"
INTERFACES: Final = f"{TRAFFIC}kubevirtInterfaces"
OUTBOUND: Final = {"includeOutboundPorts": "-q", "excludeOutboundPorts": "-o"}
"""Ports that go through, or past, the sidecar on their way out, and the flag of `istio-iptables` for them."""


def mode(source: Source) -> Value:
    """REDIRECT, TPROXY or NONE."""
    return source.annotation(MODE, source.interception_mode)


def status_port(source: Source) -> Value:
    """The agent's port for probes and merged metrics; 0: no readiness probe."""
    return source.annotation(STATUS_PORT, source.setting("global.proxy.statusPort"))


def redirection(source: Source) -> Node:
    """The init container: it writes the rules, or with the network plugin only checks that they are there."""
    cni = source.setting(CNI)
    container: Node = {
        "name": choose(cni, "istio-validation", "istio-init"),
        "image": image(source, "proxy_init"),
        "imagePullPolicy": pull_policy(source),
        "args": _args(source),
        "env": each(source.proxy_metadata, variable),
        "resources": resources(source),
        "securityContext": _security(source),
    }
    return when(differs(mode(source), "NONE"), container)


def annotations_for_cni(source: Source) -> dict[str, Node]:
    """The same rules as annotations, which the network plugin reads."""
    cni = source.setting(CNI)
    ranges = {name: source.annotation(TRAFFIC + name, default) for name, default in _ranges(source).items()}
    ports = {name: _outbound(source, name) for name in OUTBOUND}
    interfaces = source.annotation(INTERFACES)
    networks = source.network_list(source.annotation(NETWORKS), CNI_NETWORK)
    found: dict[str, Node] = {
        NETWORKS: when(negate(source.setting("istio_cni.chained")), networks),
        MODE: mode(source),
        **{TRAFFIC + name: when(value, value) for name, value in ranges.items()},
        f"{TRAFFIC}includeInboundPorts": _inbound(source),
        f"{TRAFFIC}excludeInboundPorts": _not_inbound(source),
        **{TRAFFIC + name: when(given, value) for name, (given, value) in ports.items()},
        INTERFACES: when(interfaces, interfaces),
    }
    return {name: when(cni, value) for name, value in found.items()}


def pull_policy(source: Source) -> Node:
    policy = source.setting("global.imagePullPolicy")
    return when(policy, policy)


def _ranges(source: Source) -> dict[str, Value]:
    return {
        "includeOutboundIPRanges": source.setting("global.proxy.includeIPRanges"),
        "excludeOutboundIPRanges": source.setting("global.proxy.excludeIPRanges"),
    }


def _inbound(source: Source) -> Value:
    return source.annotation(f"{TRAFFIC}includeInboundPorts", "*")


def _not_inbound(source: Source) -> Value:
    """Ports that bypass the sidecar on their way in: the agent's own is always one of them."""
    excluded = source.annotation(f"{TRAFFIC}excludeInboundPorts", source.setting("global.proxy.excludeInboundPorts"))
    return source.excluding(status_port(source), excluded)


def _outbound(source: Source, name: str) -> tuple[Value, Value]:
    """Whether the pod or the installation names such ports, and which."""
    everyone = value_or(source.setting(f"global.proxy.{name}"), "")
    annotation = TRAFFIC + name
    return either(source.annotated(annotation), differs(everyone, "")), source.annotation(annotation, everyone)


def _args(source: Source) -> list[Node]:
    include, exclude = [source.annotation(TRAFFIC + name, default) for name, default in _ranges(source).items()]
    own = f"{proxy.METRICS_PORT},{proxy.HEALTH_PORT}"
    excluded = _not_inbound(source)
    flags: list[Node] = [
        ["-p", str(OUTBOUND_PORT), "-z", str(INBOUND_PORT), "-u", str(proxy.USER), "-m", mode(source)],
        ["-i", include, "-x", exclude, "-b", _inbound(source)],
        ["-d", choose(differs(excluded, ""), join(own, ",", excluded), own)],
    ]
    for name, flag in OUTBOUND.items():
        given, ports = _outbound(source, name)
        flags.append(when(given, [flag, ports]))
    flags.append(when(source.annotated(INTERFACES), ["-k", source.annotation(INTERFACES)]))
    flags.append(when(source.setting(CNI), ["--run-validation", "--skip-rule-apply"]))
    return ["istio-iptables", *flags]


def _security(source: Source) -> Node:
    """Rules need root and two capabilities; to check them needs neither."""
    cni = source.setting(CNI)
    rules = negate(cni)
    privileged = source.setting("global.proxy.privileged", "plain")
    return {
        "privileged": privileged,
        "allowPrivilegeEscalation": privileged,
        "readOnlyRootFilesystem": negate(rules),
        "runAsNonRoot": negate(rules),
        "runAsUser": number(choose(rules, 0, proxy.USER)),
        "runAsGroup": number(choose(rules, 0, proxy.USER)),
        "capabilities": {"drop": ["ALL"], "add": when(rules, ["NET_ADMIN", "NET_RAW"])},
    }
