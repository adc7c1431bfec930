"""The pods of an Istio 1.30 gateway that has a Deployment of its own (not injected)."""

from __future__ import annotations

from typing import Any, Final

from mesh.core.names import INJECT_LABEL
from mesh.proxy import proxy
from mesh.proxy.expr import Node, wire
from mesh.proxy.proxy import Proxy, Volume, env_from_field
from mesh.releases.common import gateway, injected_gateway
from mesh.releases.common.overlays import with_gateway_settings
from mesh.releases.common.pods import locked_down, scraped
from mesh.releases.release import Installation, PodTemplate
from mesh.releases.v1_30.istiod import root_certificate
from mesh.releases.v1_30.names import NO_AMBIENT, limit_env
from mesh.values.gateway import Gateway

_ORDER: Final = (
    "workload-socket",
    "credential-socket",
    "workload-certs",
    "istiod-ca-cert",
    "podinfo",
    "istio-envoy",
    "istio-data",
    "istio-token",
    "istio-certs",
    "config-volume",
)
"""The volumes in Istio's own order: another order would replace the pods of an adopted gateway."""


def pod(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    """The template of the pods of the gateway `name`."""
    return with_gateway_settings(_of_chart(mesh, name, spec), spec)


def _of_chart(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    if spec.as_chart_gateway:
        return injected_gateway.as_chart(mesh, name, spec)
    if spec.is_injected:
        labels = {**spec.selector(name), **gateway.canonical_labels(mesh, name)}
        identity = None if spec.runAsRoot else _identity(mesh)
        return injected_gateway.pod(
            mesh, name, spec, labels, identity, gateway.scheduling_of_mesh(mesh, spec, weights={})
        )
    return _pod(mesh, name, spec)


def _pod(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    volumes, unmounted = _volumes(mesh, name, spec)
    spec_fields: dict[str, Any] = wire(
        {
            "serviceAccountName": spec.service_account(name),
            "priorityClassName": mesh.values.global_.priorityClassName or None,
            "containers": [_container(mesh, name, spec, volumes), *spec.additionalContainers],
            "volumes": [volume.volume() for volume in (*sorted(volumes, key=_place), *unmounted)],
            "securityContext": None if spec.runAsRoot else _identity(mesh),
        }
    )
    labels = {**spec.selector(name), **mesh.labels, **gateway.canonical_labels(mesh, name), INJECT_LABEL: "false"}
    metrics = scraped(15020, "/stats/prometheus") if mesh.values.meshConfig.enablePrometheusMerge else {}
    return {
        "metadata": {
            "labels": {**labels, **NO_AMBIENT},
            "annotations": {**mesh.labels, **metrics, INJECT_LABEL: "false", **spec.podAnnotations},
        },
        "spec": {**spec_fields, **gateway.scheduling_of_mesh(mesh, spec, weights={})},
    }


def _identity(mesh: Installation) -> dict[str, Node]:
    """The user of the pod; OpenShift chooses one itself."""
    user: dict[str, Node] = {"runAsUser": proxy.USER, "runAsGroup": proxy.USER}
    return {"runAsNonRoot": True, **({} if mesh.values.global_.platform == "openshift" else user)}


def _container(mesh: Installation, name: str, spec: Gateway, volumes: list[Volume]) -> Node:
    chosen = mesh.values.global_
    return Proxy(
        image=mesh.values.image(chosen.proxy.image, chosen.proxy.variant, spec.own_image),
        imagePullPolicy=chosen.imagePullPolicy or None,
        args=gateway.args(mesh),
        env=_env(mesh, name, spec),
        ports=gateway.ports(spec),
        resources=gateway.resources(mesh, spec),
        readinessProbe=gateway.readiness(),
        securityContext=None if spec.runAsRoot else locked_down(),
        volumeMounts=[volume.mount() for volume in volumes],
    ).container()


def _env(mesh: Installation, name: str, spec: Gateway) -> list[Node]:
    chosen = mesh.values.global_
    _, *trust = proxy.trust_env("", chosen.pilotCertProvider, chosen.caAddress, mesh.values.revision, mesh.root)
    *of_pod, account = gateway.env_of_pod()
    return [
        *trust,
        *of_pod,
        limit_env("ISTIO_CPU_LIMIT", "cpu"),
        account,
        *gateway.env_of_mesh(mesh, name, spec),
        *gateway.own_env(mesh, spec),
        gateway.cluster_env(mesh),
        env_from_field("ISTIO_META_NODE_NAME", "spec.nodeName"),
    ]


def _place(volume: Volume) -> int:
    """The place of a volume in Istio's own order, which is not that of the mounts; volumes of values follow."""
    return _ORDER.index(volume.name) if volume.name in _ORDER else len(_ORDER)


def _volumes(mesh: Installation, name: str, spec: Gateway) -> tuple[list[Volume], list[Volume]]:
    """The volumes that the proxy mounts, and those that are in the pod only."""
    own, unmounted = gateway.own_volumes(spec)
    secrets = "/var/run/secrets"
    empty = {
        "workload-socket": f"{secrets}/workload-spiffe-uds",
        "credential-socket": f"{secrets}/credential-uds",
        "workload-certs": f"{secrets}/workload-spiffe-credentials",
    }
    pod_info: list[Node] = [
        {"path": part, "fieldRef": {"fieldPath": f"metadata.{part}"}} for part in ("labels", "annotations")
    ]
    mounted = [
        *[Volume(name=volume, source={"emptyDir": {}}, path=path) for volume, path in empty.items()],
        proxy.envoy_volume(medium=None),
        gateway.mesh_config_volume(mesh),
        Volume(
            name="istiod-ca-cert",
            source=root_certificate(mesh),
            path=f"{secrets}/istio",
            needed=mesh.values.global_.pilotCertProvider == "istiod",
        ),
        proxy.token_volume("third-party-jwt", mesh.values.global_.sds.token.aud, readOnly=True),
        gateway.certificate_volume(mesh, name, spec),
        proxy.DATA_VOLUME,
        Volume(name="podinfo", source={"downwardAPI": {"items": pod_info}}, path="/etc/istio/pod"),
        *own,
    ]
    return mounted, unmounted
