"""Kiali, as Istio 1.10's sample has it: version 1, its permissions and its configuration."""

from __future__ import annotations

from typing import Any, Final

from mesh.core.names import INJECTOR, MESH_CONFIG
from mesh.releases.addons import KIALI_METRICS_PORT, KIALI_PATH, KIALI_PORT, Kiali, KialiView, Volume
from mesh.releases.release import Installation
from mesh.releases.roles import PolicyRules
from mesh.releases.v1_10.addons.kiali_dashboards import DASHBOARDS
from mesh.releases.v1_10.addons.pods import NO_SIDECAR

_VERSION: Final = "v1.34.0"
_SELECTOR: Final = {"app.kubernetes.io/name": "kiali", "app.kubernetes.io/instance": "kiali-server"}
_LABELS: Final = {
    **_SELECTOR,
    "app": "kiali",
    "app.kubernetes.io/part-of": "kiali",
    "app.kubernetes.io/version": _VERSION,
    "version": _VERSION,
}
_READ: Final = "get list watch"


def _rules(_: str, write: bool) -> PolicyRules:
    patch, edit = (" patch", " create delete patch") if write else ("", "")
    return (
        ("core", "configmaps endpoints pods/log pods/proxy", _READ),
        ("core", "namespaces pods replicationcontrollers services", f"{_READ}{patch}"),
        ("core", "pods/portforward", "create post"),
        ("extensions apps", "daemonsets deployments replicasets statefulsets", f"{_READ}{patch}"),
        ("batch", "cronjobs jobs", f"{_READ}{patch}"),
        ("networking.istio.io security.istio.io", "*", f"{_READ}{edit}"),
        ("apps.openshift.io", "deploymentconfigs", f"{_READ}{patch}"),
        ("project.openshift.io", "projects", "get"),
        ("route.openshift.io", "routes", "get"),
        ("monitoring.kiali.io", "monitoringdashboards", "get list"),
        ("iter8.tools", "experiments", f"{_READ}{edit}"),
        ("authentication.k8s.io", "tokenreviews", "create"),
    )


def config(mesh: Installation, view: KialiView) -> dict[str, Any]:
    """Kiali's configuration."""
    return {
        "auth": {"strategy": "anonymous" if view.insecure else "token", "openshift": {"client_id_prefix": "kiali"}},
        "deployment": {"accessible_namespaces": ["**"], "namespace": mesh.root},
        "external_services": {"custom_dashboards": {"enabled": True}, **_istiod(mesh), **_others(view)},
        "istio_namespace": mesh.root,
        **({"login_token": {"signing_key": "CHANGEME"}} if view.insecure else {}),
        "server": {
            "metrics_enabled": True,
            "metrics_port": KIALI_METRICS_PORT,
            "port": KIALI_PORT,
            "web_root": KIALI_PATH,
        },
    }


def _istiod(mesh: Installation) -> dict[str, Any]:
    """The names of the control plane's objects, if a revision makes them differ from Kiali's defaults."""
    if not mesh.values.revision:
        return {}
    istiod = mesh.revisioned("istiod")
    names = {
        "config_map_name": mesh.revisioned(MESH_CONFIG),
        "istio_sidecar_injector_config_map_name": mesh.revisioned(INJECTOR),
        "istiod_deployment_name": istiod,
        "url_service_version": f"http://{istiod}:15014/version",
    }
    return {"istio": names}


def _others(view: KialiView) -> dict[str, Any]:
    """The URLs of Prometheus, Jaeger and Grafana; Jaeger and Grafana are disabled if there are none."""
    found: dict[str, Any] = {"prometheus": {"url": view.urls["prometheus"], **view.auth("prometheus")}}
    for service, name in {"tracing": "jaeger", "grafana": "grafana"}.items():
        found[service] = {"enabled": name in view.urls}
        if name in view.urls:
            found[service]["in_cluster_url"] = view.urls[name]
            found[service] |= view.auth(name)
        if name in view.external_urls:
            found[service]["url"] = view.external_urls[name]
    if "jaeger" in view.there:
        found["tracing"]["use_grpc"] = False  # a URL is that of the pages, and Kiali would dial it for gRPC
    if "grafana" in view.urls:
        found["grafana"]["health_check_url"] = f"{view.urls['grafana']}/api/health"
    return found


KIALI: Final = Kiali(
    image="quay.io/kiali/kiali:v1.34",
    selector=_SELECTOR,
    labels=_LABELS,
    pod_labels=_LABELS,
    annotations={
        **NO_SIDECAR,
        "kiali.io/runtimes": "go,kiali",
        "prometheus.io/port": str(KIALI_METRICS_PORT),
        "prometheus.io/scrape": "true",
    },
    rules=_rules,
    reads_secrets=True,
    key_file=None,
    volumes={
        "kiali-cert": Volume(path="/kiali-cert", secret="istio.kiali-service-account"),
        "kiali-secret": Volume(path="/kiali-secret", secret="kiali"),
    },
    pull="Always",
    protocol=None,
    container={},
    dashboards=DASHBOARDS,
)
