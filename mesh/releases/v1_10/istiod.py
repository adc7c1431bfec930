"""The pods of istiod 1.10."""

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

_USER: Final = 1337
"""User and group id of istiod."""
_PORTS: Final = (ISTIOD_HTTP, 15010, 15017)
"""Debug interface, plain text discovery (xDS), webhooks."""
ACCOUNT: Final = "istiod-service-account"
"""istiod's service account."""


def pod(mesh: Installation) -> PodTemplate:
    """The template of istiod's pods."""
    spec: dict[str, Any] = wire(
        {
            "serviceAccountName": ACCOUNT,
            "priorityClassName": mesh.values.global_.priorityClassName or None,
            "securityContext": {"fsGroup": _USER},
            "containers": [_container(mesh)],
            "volumes": [*istiod_volumes(mesh, _bound_token(mesh)), extra_certificates_volume(mesh)],
        }
    )
    template: PodTemplate = {
        "metadata": {"labels": _labels(mesh), "annotations": _annotations(mesh)},
        "spec": {**spec, **mesh.values.pilot.scheduling},
    }
    return with_settings(template, mesh.values.pilot, DISCOVERY)


def _labels(mesh: Installation) -> dict[str, str]:
    component = "istiod" if mesh.values.revision else "pilot"
    return {"app": "istiod", "istio": component, **mesh.labels, INJECT_LABEL: "false"}


def _annotations(mesh: Installation) -> dict[str, str]:
    metrics = scraped(MONITORING) if mesh.values.meshConfig.enablePrometheusMerge else {}
    return {**metrics, INJECT_LABEL: "false", **mesh.values.pilot.podAnnotations}


def _bound_token(mesh: Installation) -> bool:
    """Whether istiod uses a service account token that is bound to an audience (`third-party-jwt`)."""
    return mesh.values.global_.jwtPolicy == "third-party-jwt"


def _container(mesh: Installation) -> Node:
    values, pilot = mesh.values, mesh.values.pilot
    return {
        "name": DISCOVERY,
        "image": values.image(pilot.image, own=pilot),
        "imagePullPolicy": pilot.imagePullPolicy or values.global_.imagePullPolicy or None,
        "args": istiod_args(mesh, when(values.global_.oneNamespace, ["-a", mesh.root])),
        "ports": [{"containerPort": port, "protocol": "TCP"} for port in _PORTS],
        "readinessProbe": istiod_readiness(),
        "env": _env(mesh),
        "resources": pilot.resources.amounts or values.global_.defaultResources.amounts,
        "securityContext": {
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [*istiod_mounts(_bound_token(mesh)), extra_certificates_mount(mesh)],
    }


def _env(mesh: Installation) -> list[Node]:
    chosen, pilot = mesh.values.global_, mesh.values.pilot
    literal: Mapping[str, str] = {
        "REVISION": mesh.revision,
        "JWT_POLICY": chosen.jwtPolicy,
        "PILOT_CERT_PROVIDER": chosen.pilotCertProvider,
        "KUBECONFIG": "/var/run/secrets/remote/config",
        **({} if mesh.values.telemetry.v2.enabled else {"PILOT_ENDPOINT_TELEMETRY_LABEL": "false"}),
        **({"PILOT_TRACE_SAMPLING": f"{pilot.traceSampling:g}"} if pilot.traceSampling else {}),
        "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_OUTBOUND": flag(pilot.enableProtocolSniffingForOutbound),
        "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_INBOUND": flag(pilot.enableProtocolSniffingForInbound),
        "ISTIOD_ADDR": mesh.discovery_address,
        "PILOT_ENABLE_ANALYSIS": flag(chosen.istiod.enableAnalysis),
        "CLUSTER_ID": chosen.multiCluster.clusterName or DEFAULT_CLUSTER,
        **pilot.env,
    }
    return [
        *[env_var(name, value) for name, value in literal.items()],
        *istiod_env_of_pod(),
    ]
