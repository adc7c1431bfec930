"""The pods of an Istio 1.10 gateway that has a Deployment of its own (not injected)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import INJECT_LABEL
from mesh.proxy import proxy
from mesh.proxy.expr import Node, when, wire
from mesh.proxy.proxy import Proxy, Volume, env_var
from mesh.releases.common import gateway, injected_gateway
from mesh.releases.common.overlays import with_gateway_settings
from mesh.releases.common.pods import locked_down, scraped
from mesh.releases.release import Installation, PodTemplate
from mesh.values.gateway import Gateway

_CERTIFICATES: Final = "istiod"
"""The provider of the proxies' certificates."""

_ARCHITECTURES: Final = ("amd64", "ppc64le", "s390x")


def _on(*architectures: str) -> dict[str, Any]:
    """A node selector term for nodes with one of these architectures."""
    return {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": list(architectures)}]}


_BY_ARCHITECTURE: Final[Mapping[str, Any]] = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_on(*_ARCHITECTURES)]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 2, "preference": _on(name)} for name in _ARCHITECTURES
        ],
    }
}
"""Node affinity of upstream's charts: one of the three architectures is required, all are preferred equally."""


_IDENTITY: Final[Mapping[str, Node]] = {
    "runAsUser": proxy.USER,
    "runAsGroup": proxy.USER,
    "fsGroup": proxy.USER,
    "runAsNonRoot": True,
}


def pod(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    """The template of the pods of the gateway `name`."""
    if not spec.is_injected:
        return with_gateway_settings(_pod(mesh, name, spec), spec)
    identity = None if spec.runAsRoot else _IDENTITY
    own = gateway.scheduling(spec, _BY_ARCHITECTURE)
    return with_gateway_settings(injected_gateway.pod(mesh, name, spec, spec.selector(name), identity, own), spec)


def _pod(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    chosen = mesh.values.global_
    image = mesh.values.image(chosen.proxy.image)
    pull_policy = chosen.imagePullPolicy or None
    volumes, unmounted = _volumes(mesh, name, spec)
    container = Proxy(
        image=image,
        imagePullPolicy=pull_policy,
        args=gateway.args(mesh, "--serviceCluster", name),
        env=_env(mesh, name, spec),
        ports=gateway.ports(spec),
        resources=spec.resources.model_dump(),
        readinessProbe=gateway.readiness(),
        securityContext=None if spec.runAsRoot else locked_down(),
        volumeMounts=[volume.mount() for volume in volumes],
    ).container()
    spec_fields: dict[str, Any] = wire(
        {
            "serviceAccountName": spec.service_account(name),
            "priorityClassName": chosen.priorityClassName or None,
            "initContainers": when(chosen.proxy.enableCoreDump, [proxy.core_dump_container(image, pull_policy)]),
            "containers": [container, *spec.additionalContainers],
            "volumes": [volume.volume() for volume in (*volumes, *unmounted)],
            "securityContext": None if spec.runAsRoot else _IDENTITY,
        }
    )
    return {
        "metadata": {"labels": _labels(mesh, name, spec), "annotations": _annotations(mesh, spec)},
        "spec": {**spec_fields, **gateway.scheduling(spec, _BY_ARCHITECTURE)},
    }


def _labels(mesh: Installation, name: str, spec: Gateway) -> dict[str, str]:
    return {**spec.selector(name), **mesh.labels, **gateway.canonical_labels(mesh, name), INJECT_LABEL: "false"}


def _annotations(mesh: Installation, spec: Gateway) -> dict[str, str]:
    merge = mesh.values.meshConfig.enablePrometheusMerge
    metrics = scraped(15020, "/stats/prometheus") if merge else {}
    return {**metrics, INJECT_LABEL: "false", **spec.podAnnotations}


def _env(mesh: Installation, name: str, spec: Gateway) -> list[Node]:
    chosen = mesh.values.global_
    annotations = json.dumps(spec.podAnnotations, separators=(",", ":"), sort_keys=True) + "\n"
    return [
        *proxy.trust_env(chosen.jwtPolicy, _CERTIFICATES, chosen.caAddress, mesh.values.revision, mesh.root),
        *gateway.env_of_pod(),
        *proxy.canonical_env(),
        *gateway.env_of_mesh(mesh, name, spec),
        *gateway.own_env(mesh, spec),
        when(spec.podAnnotations, env_var("ISTIO_METAJSON_ANNOTATIONS", annotations)),
        gateway.cluster_env(mesh),
    ]


def _volumes(mesh: Installation, name: str, spec: Gateway) -> tuple[list[Volume], list[Volume]]:
    """The volumes that the proxy mounts, and those that are in the pod only."""
    own, unmounted = gateway.own_volumes(spec)
    mounted = [
        proxy.envoy_volume(medium=None),
        gateway.mesh_config_volume(mesh),
        proxy.ca_volume(_CERTIFICATES),
        proxy.token_volume(mesh.values.global_.jwtPolicy, gateway.AUDIENCE, readOnly=True),
        gateway.certificate_volume(mesh, name, spec),
        proxy.DATA_VOLUME,
        proxy.pod_info_volume("podinfo"),
        *own,
    ]
    return mounted, unmounted
