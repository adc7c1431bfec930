"""The pods of istiod 1.30."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import DEFAULT_CLUSTER, INJECT_LABEL
from mesh.proxy.expr import Node, when, wire
from mesh.proxy.proxy import env_var
from mesh.releases.common.overlays import with_settings
from mesh.releases.common.pods import (
    DISCOVERY,
    ISTIOD_HTTP,
    MONITORING,
    extra_certificates_mount,
    extra_certificates_volume,
    flag,
    istiod_args,
    istiod_env_of_pod,
    istiod_mounts,
    istiod_readiness,
    istiod_volumes,
    scraped,
)
from mesh.releases.release import Installation, PodTemplate
from mesh.releases.v1_30.names import NO_AMBIENT, limit_env

_PORTS: Final = {
    "http-debug": ISTIOD_HTTP,
    "grpc-xds": 15010,
    "tls-xds": 15012,
    "https-webhooks": 15017,
    "http-monitoring": MONITORING,
}
_NOT_READY: Final[Node] = {"key": "cni.istio.io/not-ready", "operator": "Exists"}
"""The taint of nodes whose CNI plugin is not ready."""


def trust_bundles(mesh: Installation) -> bool:
    """Whether the root certificate is in a ClusterTrustBundle in place of a ConfigMap in each namespace."""
    return mesh.values.pilot.env.get("ENABLE_CLUSTER_TRUST_BUNDLE_API") == "true"


def root_certificate(mesh: Installation, **more: Node) -> dict[str, Node]:
    """The volume source with the mesh's root certificate."""
    name = mesh.values.global_.trustBundleName
    if trust_bundles(mesh):
        bundle: Node = {"name": f"istio.io:istiod-ca:{name or 'root-cert'}", "path": "root-cert.pem", **more}
        return {"projected": {"sources": [{"clusterTrustBundle": bundle}]}}
    return {"configMap": {"name": name or "istio-ca-root-cert", **more}}


def pod(mesh: Installation) -> PodTemplate:
    """The template of istiod's pods."""
    pilot = mesh.values.pilot
    scheduling = pilot.scheduling
    spec: dict[str, Any] = wire(
        {
            "serviceAccountName": mesh.revisioned("istiod"),
            "priorityClassName": mesh.values.global_.priorityClassName or None,
            "initContainers": list(pilot.initContainers) or None,
            "containers": [_container(mesh)],
            "volumes": _volumes(mesh),
            "topologySpreadConstraints": list(pilot.topologySpreadConstraints) or None,
        }
    )
    tolerations = [_NOT_READY, *scheduling.get("tolerations", [])]
    component = "istiod" if mesh.values.revision else "pilot"
    labels = {"app": "istiod", "istio": component, **mesh.labels, INJECT_LABEL: "false", **NO_AMBIENT}
    annotations = {**scraped(MONITORING), INJECT_LABEL: "false", **pilot.podAnnotations}
    template: PodTemplate = {
        "metadata": {"labels": {**labels, **pilot.podLabels}, "annotations": annotations},
        "spec": {**spec, **scheduling, "tolerations": tolerations},
    }
    return with_settings(template, pilot, DISCOVERY)


def _container(mesh: Installation) -> Node:
    values, pilot = mesh.values, mesh.values.pilot
    watched = when(pilot.taint.namespace, f"--cniNamespace={pilot.taint.namespace}")
    resources = pilot.resources.amounts or values.global_.defaultResources.amounts
    return {
        "name": DISCOVERY,
        "image": values.image(pilot.image, pilot.variant, pilot),
        "imagePullPolicy": pilot.imagePullPolicy or values.global_.imagePullPolicy or None,
        "args": [*istiod_args(mesh, watched), *pilot.extraContainerArgs],
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _PORTS.items()],
        "readinessProbe": istiod_readiness(),
        "env": _env(mesh),
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": pilot.seccompProfile or None,
        },
        "volumeMounts": [
            *istiod_mounts(bound_token=True),
            extra_certificates_mount(mesh),
            {"name": "istio-csr-dns-cert", "mountPath": "/var/run/secrets/istiod/tls", "readOnly": True},
            {"name": "istio-csr-ca-configmap", "mountPath": "/var/run/secrets/istiod/ca", "readOnly": True},
            *pilot.volumeMounts,
        ],
    }


def _env(mesh: Installation) -> list[Node]:
    """The environment variables in Istio's own order: another order would replace the pods of an adopted istiod."""
    chosen, pilot = mesh.values.global_, mesh.values.pilot
    ztunnel = f"{pilot.trustedZtunnelNamespace or mesh.root}/{pilot.trustedZtunnelName or 'ztunnel'}"

    def unless_given(values: Mapping[str, str]) -> list[Node]:
        return [env_var(name, value) for name, value in values.items() if name not in pilot.env]

    return [
        *unless_given({"REVISION": mesh.revision, "PILOT_CERT_PROVIDER": chosen.pilotCertProvider}),
        *istiod_env_of_pod(),
        *unless_given({"KUBECONFIG": "/var/run/secrets/remote/config", "CA_TRUSTED_NODE_ACCOUNTS": ztunnel}),
        *[env_var(name, value) for name, value in sorted(pilot.env.items())],
        *pilot.envVarFrom,
        *unless_given(_env_of_values(mesh)),
        limit_env("GOMAXPROCS", "cpu"),
        *unless_given({"PLATFORM": chosen.platform}),
    ]


def _env_of_values(mesh: Installation) -> Mapping[str, str]:
    """The environment variables that values give in other fields than `pilot.env`."""
    chosen, pilot = mesh.values.global_, mesh.values.pilot
    untaint = {
        "PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS": "true",
        "PILOT_NODE_UNTAINT_CONTROLLERS_TAINT_NAME": pilot.taint.name,
    }
    return {
        **({"PILOT_TRACE_SAMPLING": f"{pilot.traceSampling:g}"} if pilot.traceSampling else {}),
        **(untaint if pilot.taint.enabled else {}),
        **({"EXTERNAL_ISTIOD": "true"} if chosen.externalIstiod else {}),
        **({"PILOT_CA_CERT_CONFIGMAP": chosen.trustBundleName} if chosen.trustBundleName else {}),
        **({"PILOT_CRL_CONFIGMAP": pilot.crlConfigMapName} if pilot.crlConfigMapName else {}),
        "PILOT_ENABLE_ANALYSIS": flag(chosen.istiod.enableAnalysis),
        "CLUSTER_ID": chosen.multiCluster.clusterName or DEFAULT_CLUSTER,
    }


def _volumes(mesh: Installation) -> list[Node]:
    pilot = mesh.values.pilot
    optional: dict[str, Node] = {"optional": True}
    mode: dict[str, Node] = {} if trust_bundles(mesh) else {"defaultMode": 420}
    return [
        *istiod_volumes(mesh, bound_token=True),
        {"name": "istio-csr-dns-cert", "secret": {"secretName": "istiod-tls", **optional}},
        {"name": "istio-csr-ca-configmap", **root_certificate(mesh, **optional, **mode)},
        extra_certificates_volume(mesh),
        *pilot.volumes,
    ]
