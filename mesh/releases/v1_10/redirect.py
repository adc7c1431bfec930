"""Redirection of traffic to an Istio 1.10 sidecar: the init container, and the annotations for the CNI plugin."""

from __future__ import annotations

from typing import Final

from mesh.core.names import CNI
from mesh.proxy import proxy, redirect
from mesh.proxy.expr import Node, Value, each, negate, not_equal, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.overrides import image, resources
from mesh.proxy.proxy import env_var
from mesh.proxy.redirect import INTERFACES, NETWORKS, TRAFFIC

CNI_ENABLED: Final = "istio_cni.enabled"


def init_container(inputs: Inputs) -> Node:
    """The init container that sets up iptables rules, or with the CNI plugin only validates that they are in place."""
    cni = inputs.setting(CNI_ENABLED)
    container: Node = {
        "name": redirect.init_name(cni),
        "image": image(inputs, "proxy_init"),
        "imagePullPolicy": redirect.pull_policy(inputs),
        "args": _args(inputs),
        "env": each(inputs.proxy_metadata, env_var),
        "resources": resources(inputs),
        "securityContext": redirect.security(inputs, cni, proxy.USER, proxy.USER),
    }
    return when(not_equal(redirect.interception_mode(inputs), "NONE"), container)


def cni_annotations(inputs: Inputs) -> dict[str, Node]:
    """The annotations from which the CNI plugin reads the redirection; absent without the plugin."""
    interfaces = inputs.annotation(INTERFACES)
    networks = inputs.append_network(inputs.annotation(NETWORKS), CNI)
    found: dict[str, Node] = {
        NETWORKS: when(negate(inputs.setting("istio_cni.chained")), networks),
        **redirect.plugin_annotations(inputs, _included_inbound(inputs)),
        INTERFACES: when(interfaces, interfaces),
    }
    return {name: when(inputs.setting(CNI_ENABLED), value) for name, value in found.items()}


def _included_inbound(inputs: Inputs) -> Value:
    return inputs.annotation(f"{TRAFFIC}includeInboundPorts", "*")


def _args(inputs: Inputs) -> list[Node]:
    ports = str(redirect.OUTBOUND_PORT), str(redirect.INBOUND_PORT)
    return [
        *redirect.rules_args(inputs, _included_inbound(inputs), *ports, str(proxy.USER)),
        when(inputs.annotated(INTERFACES), ["-k", inputs.annotation(INTERFACES)]),
        when(inputs.setting(CNI_ENABLED), list(redirect.VALIDATION)),
    ]
