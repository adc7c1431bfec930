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

_ARCHITECTURES: Final = {"amd64": 2, "ppc64le": 2, "s390x": 2}
"""The CPU architectures of the images, preferred equally."""
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
    own = gateway.scheduling_of_mesh(mesh, spec, _ARCHITECTURES)
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
        resources=gateway.resources(mesh, spec),
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
        "spec": {**spec_fields, **gateway.scheduling_of_mesh(mesh, spec, _ARCHITECTURES)},
    }


def _labels(mesh: Installation, name: str, spec: Gateway) -> dict[str, str]:
    return {**spec.selector(name), **mesh.labels, **gateway.canonical_labels(mesh, name), INJECT_LABEL: "false"}


def _annotations(mesh: Installation, spec: Gateway) -> dict[str, str]:
    merge = mesh.values.meshConfig.enablePrometheusMerge
    metrics = scraped(15020, "/stats/prometheus") if merge else {}
    return {**metrics, INJECT_LABEL: "false", **spec.podAnnotations}


def _env(mesh: Installation, name: str, spec: Gateway) -> list[Node]:
    chosen = mesh.values.global_
    trust = proxy.trust_env(
        chosen.jwtPolicy, chosen.pilotCertProvider, chosen.caAddress, mesh.values.revision, mesh.root
    )
    annotations = json.dumps(spec.podAnnotations, separators=(",", ":"), sort_keys=True) + "\n"
    return [
        *trust,
        *gateway.env_of_pod(),
        *proxy.canonical_env(),
        *gateway.env_of_mesh(mesh, name, spec),
        *gateway.own_env(mesh, spec),
        when(spec.podAnnotations, env_var("ISTIO_METAJSON_ANNOTATIONS", annotations)),
        gateway.cluster_env(mesh),
    ]


def _volumes(mesh: Installation, name: str, spec: Gateway) -> tuple[list[Volume], list[Volume]]:
    """The volumes that the proxy mounts, and those that are in the pod only."""
    chosen = mesh.values.global_
    own, unmounted = gateway.own_volumes(spec)
    mounted = [
        proxy.envoy_volume(medium=None),
        gateway.mesh_config_volume(mesh),
        proxy.ca_volume(chosen.pilotCertProvider),
        proxy.token_volume(chosen.jwtPolicy, chosen.sds.token.aud, readOnly=True),
        gateway.certificate_volume(mesh, name, spec),
        proxy.DATA_VOLUME,
        proxy.pod_info_volume("podinfo"),
        *own,
    ]
    return mounted, unmounted
