"""The pods of a gateway whose proxy is injected when they are created: the parts that the injection template lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import INJECT_LABEL
from mesh.proxy.expr import Node, each, when, wire
from mesh.proxy.proxy import CONTAINER, METRICS_PORT, env_var
from mesh.releases.common import gateway
from mesh.releases.common.pods import locked_down, scraped
from mesh.releases.release import Installation, PodTemplate
from mesh.values.gateway import Gateway

_TEMPLATES: Final = "inject.istio.io/templates"
_AUTO: Final = "auto"
"""The image of a container whose image the injector fills in."""


def pod(
    mesh: Installation, name: str, spec: Gateway, labels: Mapping[str, str], identity: Node, own: dict[str, Any]
) -> PodTemplate:
    """The template of the pods of the gateway `name`. `identity` is the pods' security context, and `own` has further
    fields of their spec."""
    volumes, unmounted = gateway.own_volumes(spec)
    unprivileged = when(not spec.runAsRoot, env_var("ISTIO_META_UNPRIVILEGED_POD", "true"))
    container: dict[str, Node] = {
        "name": CONTAINER,
        "image": _AUTO,
        "ports": [*gateway.ports(spec), _metrics()],
        "securityContext": None if spec.runAsRoot else locked_down(),
        "resources": gateway.resources(mesh, spec),
        "env": [unprivileged, each(spec.env, env_var)],
        "volumeMounts": [volume.mount() for volume in volumes],
    }
    fields: dict[str, Any] = wire(
        {
            "securityContext": identity,
            "serviceAccountName": spec.service_account(name),
            "priorityClassName": mesh.values.global_.priorityClassName or None,
            "containers": [container, *spec.additionalContainers],
            "volumes": [volume.volume() for volume in (*volumes, *unmounted)],
        }
    )
    return {
        "metadata": {"labels": {**labels, **_injected(mesh)}, "annotations": _annotations(mesh, spec)},
        "spec": {**fields, **own},
    }


def as_chart(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    """The same as the Helm chart `gateway` makes it: the container has no ports of the gateway, and may open any."""
    network = when(spec.networkGateway, env_var("ISTIO_META_REQUESTED_NETWORK_VIEW", spec.networkGateway))
    container: dict[str, Node] = {
        "name": CONTAINER,
        "image": _AUTO,
        "ports": [_metrics()],
        "securityContext": {**locked_down(), "runAsNonRoot": True},
        "resources": spec.resources.amounts,
        "env": [network, each(spec.env, env_var)],
    }
    low_ports: dict[str, Any] = {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}
    fields: dict[str, Any] = wire(
        {
            "securityContext": dict(spec.securityContext) or low_ports,
            "serviceAccountName": spec.service_account(name),
            "containers": [container, *spec.additionalContainers],
        }
    )
    labels = {**spec.selector(name), "app.kubernetes.io/name": name, **spec.network_labels, **spec.other_labels}
    return {
        "metadata": {"labels": {**labels, **_injected(mesh)}, "annotations": _annotations(mesh, spec)},
        "spec": {**fields, **gateway.scheduling(spec)},
    }


def _annotations(mesh: Installation, spec: Gateway) -> dict[str, str]:
    """The annotations of the pods."""
    metrics = scraped(15020, "/stats/prometheus") if mesh.values.meshConfig.enablePrometheusMerge else {}
    template = spec.injectionTemplate or "gateway"
    return {**metrics, INJECT_LABEL: "true", _TEMPLATES: template, **spec.podAnnotations}


def _injected(mesh: Installation) -> dict[str, str]:
    return {INJECT_LABEL: "true", **(mesh.labels if mesh.values.revision else {})}


def _metrics() -> Node:
    return {"containerPort": METRICS_PORT, "protocol": "TCP", "name": "http-envoy-prom"}
