"""The pods of istiod 1.10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import INJECT_LABEL
from mesh.proxy.expr import Node, when, wire
from mesh.proxy.proxy import env_from_field, env_var
from mesh.releases.release import Installation, PodTemplate

_USER: Final = 1337
"""User and group id of istiod."""
_HTTP: Final = 8080
"""Port of the debug interface and the readiness probe."""
_PORTS: Final = (_HTTP, 15010, 15017)
"""Debug interface, plain text discovery (xDS), webhooks."""
_MONITORING: Final = 15014
"""Port of istiod's own metrics."""
_TOKEN_SECONDS: Final = 43200
"""Lifetime of the projected service account token: 12 hours."""


def pod(mesh: Installation) -> PodTemplate:
    """The template of istiod's pods."""
    spec: dict[str, Any] = wire(
        {
            "serviceAccountName": mesh.release.roles.istiod(mesh).name,
            "priorityClassName": mesh.values.global_.priorityClassName or None,
            "securityContext": {"fsGroup": _USER},
            "containers": [_container(mesh)],
            "volumes": _volumes(_bound_token(mesh)),
        }
    )
    return {
        "metadata": {"labels": _labels(mesh), "annotations": _annotations(mesh)},
        "spec": {**spec, **mesh.values.pilot.scheduling},
    }


def _labels(mesh: Installation) -> dict[str, str]:
    component = "istiod" if mesh.values.revision else "pilot"
    return {"app": "istiod", "istio": component, **mesh.labels, INJECT_LABEL: "false"}


def _annotations(mesh: Installation) -> dict[str, str]:
    scraped = {"prometheus.io/port": str(_MONITORING), "prometheus.io/scrape": "true"}
    merge = mesh.values.meshConfig.enablePrometheusMerge
    return {**(scraped if merge else {}), INJECT_LABEL: "false", **mesh.values.pilot.podAnnotations}


def _bound_token(mesh: Installation) -> bool:
    """Whether istiod uses a service account token that is bound to an audience (`third-party-jwt`)."""
    return mesh.values.global_.jwtPolicy == "third-party-jwt"


def _container(mesh: Installation) -> Node:
    values, pilot = mesh.values, mesh.values.pilot
    return {
        "name": "discovery",
        "image": values.image(pilot.image),
        "imagePullPolicy": values.global_.imagePullPolicy or None,
        "args": _args(mesh),
        "ports": [{"containerPort": port, "protocol": "TCP"} for port in _PORTS],
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": _HTTP},
            "initialDelaySeconds": 1,
            "periodSeconds": 3,
            "timeoutSeconds": 5,
        },
        "env": _env(mesh),
        "resources": pilot.resources.amounts,
        "securityContext": {
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": _mounts(_bound_token(mesh)),
    }


def _args(mesh: Installation) -> list[Node]:
    chosen = mesh.values.global_
    return [
        "discovery",
        f"--monitoringAddr=:{_MONITORING}",
        when(chosen.logging.level, f"--log_output_level={chosen.logging.level}"),
        when(chosen.logAsJson, "--log_as_json"),
        *("--domain", chosen.proxy.clusterDomain),
        when(chosen.oneNamespace, ["-a", mesh.root]),
        *("--keepaliveMaxServerConnectionAge", mesh.values.pilot.keepaliveMaxServerConnectionAge),
    ]


def _env(mesh: Installation) -> list[Node]:
    chosen, pilot = mesh.values.global_, mesh.values.pilot
    literal: Mapping[str, str] = {
        "REVISION": mesh.revision,
        "JWT_POLICY": chosen.jwtPolicy,
        "PILOT_CERT_PROVIDER": "istiod",
        "KUBECONFIG": "/var/run/secrets/remote/config",
        **({} if mesh.values.telemetry.v2.enabled else {"PILOT_ENDPOINT_TELEMETRY_LABEL": "false"}),
        **({"PILOT_TRACE_SAMPLING": f"{pilot.traceSampling:g}"} if pilot.traceSampling else {}),
        "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_OUTBOUND": _flag(pilot.enableProtocolSniffingForOutbound),
        "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_INBOUND": _flag(pilot.enableProtocolSniffingForInbound),
        "ISTIOD_ADDR": mesh.discovery_address,
        "PILOT_ENABLE_ANALYSIS": _flag(chosen.istiod.enableAnalysis),
        "CLUSTER_ID": chosen.multiCluster.clusterName or "Kubernetes",
        **pilot.env,
    }
    of_pod = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
    }
    return [
        *[env_var(name, value) for name, value in literal.items()],
        *[env_from_field(name, path, "v1") for name, path in of_pod.items()],
    ]


def _flag(value: bool) -> str:
    return str(value).lower()


def _mounts(bound_token: bool) -> list[Node]:
    token: Node = {"name": "istio-token", "mountPath": "/var/run/secrets/tokens", "readOnly": True}
    return [
        when(bound_token, token),
        {"name": "local-certs", "mountPath": "/var/run/secrets/istio-dns"},
        {"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": True},
        {"name": "istio-kubeconfig", "mountPath": "/var/run/secrets/remote", "readOnly": True},
    ]


def _volumes(bound_token: bool) -> list[Node]:
    token: Node = {"audience": "istio-ca", "expirationSeconds": _TOKEN_SECONDS, "path": "istio-token"}
    bound: Node = {"name": "istio-token", "projected": {"sources": [{"serviceAccountToken": token}]}}
    return [
        {"name": "local-certs", "emptyDir": {"medium": "Memory"}},
        when(bound_token, bound),
        *[{"name": name, "secret": {"secretName": name, "optional": True}} for name in ("cacerts", "istio-kubeconfig")],
    ]
