"""Redirection of traffic to an Istio 1.30 sidecar: the init container, and the annotations for the CNI plugin."""

from __future__ import annotations

from typing import Final

from mesh.core.names import CNI
from mesh.proxy import proxy, redirect
from mesh.proxy.expr import Node, Value, coalesce, each, equal, join, not_equal, number, ternary, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import env_var
from mesh.proxy.redirect import INTERFACES, MODE, NETWORKS, TRAFFIC
from mesh.releases.v1_30.overrides import image, resources, seccomp_profile

CNI_ENABLED: Final = "pilot.cni.enabled"
REROUTED: Final = "istio.io/reroute-virtual-interfaces"
"""Annotation: interfaces of virtual machines whose traffic is outbound traffic; before 1.30 `kubevirtInterfaces`."""
EXCLUDED: Final = f"{TRAFFIC}excludeInterfaces"
_MULTUS_NETWORK: Final = f"default/{CNI}"


def transparent(inputs: Inputs) -> Value:
    """Whether Envoy keeps the client's address: redirection by TPROXY."""
    return equal(redirect.interception_mode(inputs), "TPROXY")


def init_container(inputs: Inputs) -> Node:
    """The init container that sets up iptables rules, or with the CNI plugin only validates that they are in place."""
    cni, tproxy = inputs.setting(CNI_ENABLED), transparent(inputs)
    user, group = (ternary(tproxy, proxy.USER, one) for one in (inputs.user, inputs.group))
    container: Node = {
        "name": redirect.init_name(cni),
        "image": image(inputs, "proxy_init"),
        "imagePullPolicy": redirect.pull_policy(inputs),
        "args": _args(inputs, join(number(user))),
        "env": each(inputs.proxy_metadata, env_var),
        "resources": resources(inputs),
        "securityContext": {
            **redirect.security(inputs, cni, user, group),
            "seccompProfile": seccomp_profile(inputs, "global.proxy"),
        },
    }
    return when(not_equal(redirect.interception_mode(inputs), "NONE"), container)


def cni_annotations(inputs: Inputs) -> dict[str, Node]:
    """The annotations from which the CNI plugin reads the redirection; absent without the plugin."""
    networks = inputs.append_network(inputs.annotation(NETWORKS), _MULTUS_NETWORK)
    interfaces = {name: inputs.annotation(name) for name in (INTERFACES, REROUTED, EXCLUDED)}
    found: dict[str, Node] = {
        NETWORKS: when(equal(inputs.setting("pilot.cni.provider"), "multus"), networks),
        **redirect.plugin_annotations(inputs, _included_inbound(inputs)),
        **{name: when(value, value) for name, value in interfaces.items()},
    }
    return {name: when(inputs.setting(CNI_ENABLED), value) for name, value in found.items()}


def metadata_mode(inputs: Inputs) -> Value:
    """The mode that the proxy reports to istiod."""
    return coalesce(inputs.annotation(MODE), inputs.interception_mode)


def _included_inbound(inputs: Inputs) -> Value:
    return inputs.annotation(f"{TRAFFIC}includeInboundPorts", inputs.setting("global.proxy.includeInboundPorts"))


def _args(inputs: Inputs, user: Value) -> list[Node]:
    setting, annotated, annotation = inputs.setting, inputs.annotated, inputs.annotation
    outbound = join(coalesce(inputs.outbound_port, str(redirect.OUTBOUND_PORT)))
    inbound = join(coalesce(inputs.inbound_port, str(redirect.INBOUND_PORT)))
    virtual = when(annotated(INTERFACES), ["-k", annotation(INTERFACES)])
    force = when(setting("global.proxy_init.forceApplyIptables"), "--force-apply")
    return [
        *redirect.rules_args(inputs, _included_inbound(inputs), outbound, inbound, user),
        when(annotated(REROUTED), ["-k", annotation(REROUTED)], virtual),
        when(annotated(EXCLUDED), ["-c", annotation(EXCLUDED)]),
        join("--log_output_level=", annotation("sidecar.istio.io/agentLogLevel", setting("global.logging.level"))),
        proxy.json_args(setting("global.logAsJson")),
        when(setting(CNI_ENABLED), list(redirect.VALIDATION), force),
        when(setting("global.nativeNftables"), "--native-nftables"),
    ]
