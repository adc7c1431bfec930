"""Kiali, as Istio 1.30's sample has it: version 2, its permissions and its configuration."""

from __future__ import annotations

from typing import Any, Final

from mesh.releases.addons import KIALI_METRICS_PORT, KIALI_PATH, KIALI_PORT, Kiali, KialiView, Volume
from mesh.releases.release import Installation
from mesh.releases.roles import PolicyRules
from mesh.releases.v1_30.addons.pods import IMAGES_USER, NO_SIDECAR, READ_ONLY

_VERSION: Final = "v2.26.0"
_SELECTOR: Final = {"app.kubernetes.io/name": "kiali", "app.kubernetes.io/instance": "kiali"}
_LABELS: Final = {
    **_SELECTOR,
    "app": "kiali",
    "app.kubernetes.io/part-of": "kiali",
    "app.kubernetes.io/version": _VERSION,
    "version": _VERSION,
}
_READ: Final = "get list watch"
_API: Final = {
    "title": "API Documentation",
    "annotation": "kiali.io/api-spec",
    "icon_annotation": "kiali.io/api-type",
}
"""Annotations by which workloads link to the description of their API."""
_REMOTE: Final = "kiali-multi-cluster-secret"
"""Volume and Secret with the kubeconfigs of the mesh's other clusters."""


def _rules(namespace: str, write: bool) -> PolicyRules:
    patch, edit = (" patch", " create delete patch") if write else ("", "")
    istio = "networking.istio.io security.istio.io extensions.istio.io telemetry.istio.io"
    return (
        ("core", "configmaps endpoints pods/log", _READ),
        ("core", "namespaces pods replicationcontrollers services", f"{_READ}{patch}"),
        ("core", "pods/portforward", "create post"),
        ("extensions apps", "daemonsets deployments replicasets statefulsets", f"{_READ}{patch}"),
        ("batch", "cronjobs jobs", f"{_READ}{patch}"),
        (f"{istio} gateway.networking.k8s.io inference.networking.k8s.io", "*", f"{_READ}{edit}"),
        ("apps.openshift.io", "deploymentconfigs", f"{_READ}{patch}"),
        ("route.openshift.io", "routes", "get"),
        ("authentication.k8s.io", "tokenreviews", "create"),
        ("oauth.openshift.io", "oauthclients", "get", f"kiali-{namespace}"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", _READ),
    )


def config(mesh: Installation, view: KialiView) -> dict[str, Any]:
    """Kiali's configuration, as far as it differs from Kiali's defaults. Kiali finds control planes by itself."""
    return {
        "additional_display_details": [_API],
        "auth": {"strategy": "anonymous" if view.insecure else "token", "openshift": {"client_id_prefix": "kiali"}},
        "deployment": {"cluster_wide_access": True, "instance_name": "kiali", "namespace": mesh.root},
        "external_services": {"custom_dashboards": {"enabled": True}, **_others(view)},
        **({"login_token": {"signing_key": "CHANGEME00000000"}} if view.insecure else {}),
        "server": {
            "observability": {"metrics": {"enabled": True, "port": KIALI_METRICS_PORT}},
            "port": KIALI_PORT,
            "web_root": KIALI_PATH,
        },
    }


def _others(view: KialiView) -> dict[str, Any]:
    """The URLs of Prometheus, Jaeger and Grafana; Jaeger and Grafana are disabled if there are none."""
    found: dict[str, Any] = {"prometheus": {"enabled": True, "url": view.urls["prometheus"], **view.auth("prometheus")}}
    for service, name in {"tracing": "jaeger", "grafana": "grafana"}.items():
        found[service] = {"enabled": name in view.urls}
        if name in view.urls:
            found[service]["internal_url"] = view.urls[name]
            found[service] |= view.auth(name)
        if name in view.external_urls:
            found[service]["external_url"] = view.external_urls[name]
    if "jaeger" in view.urls:
        found["tracing"]["use_grpc"] = False
    if "grafana" in view.urls:
        found["grafana"]["health_check_url"] = f"{view.urls['grafana']}/api/health"
    return found


KIALI: Final = Kiali(
    image="quay.io/kiali/kiali:v2.26",
    selector=_SELECTOR,
    labels=_LABELS,
    pod_labels={**_LABELS, **NO_SIDECAR},
    annotations={
        "kiali.io/dashboards": "go,kiali",
        "prometheus.io/scheme": "http",
        "prometheus.io/port": str(KIALI_METRICS_PORT),
        "prometheus.io/scrape": "true",
    },
    security=IMAGES_USER,
    container_security=READ_ONLY,
    rules=_rules,
    reads_secrets=False,
    key_file="/kiali-override-secrets/login-token-signing-key/value.txt",
    volumes={
        "kiali-cert": Volume(path="/kiali-cert", secret="istio.kiali-service-account"),
        "kiali-secret": Volume(path="/kiali-secret", secret="kiali"),
        "kiali-cabundle": Volume(path="/kiali-cabundle", config_map="kiali-cabundle"),
        _REMOTE: Volume(path=f"/kiali-remote-cluster-secrets/{_REMOTE}", secret=_REMOTE, read_only=True),
    },
    pull="IfNotPresent",
    protocol="http",
    container={
        "startup_probe": {
            "httpGet": {"path": f"{KIALI_PATH}/healthz", "port": "api-port"},
            "initialDelaySeconds": 30,
            "periodSeconds": 10,
            "failureThreshold": 6,
        },
        "termination_message_policy": "FallbackToLogsOnError",
    },
    dashboards={},
)
