"""Intended deviations of the addons from Istio's samples: `Kind/name: path`, or its beginning, with the reason.

Each reason also stands in docs/addons.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Deviations = Mapping[str, Mapping[str, str]]

REQUESTS: Final = "every container requests what it needs"
TOOL: Final = "a label that only tells which tool installed an object"
FULL_NAME: Final = "one address for whoever asks, in full"
BOOKINFO: Final = "a dashboard of Bookinfo is ours"
LABELS: Final = "labels that tell whose an object is"
CHECKSUM: Final = "pods restart when the configuration that they read at the start changes"
PASSWORD: Final = "Grafana asks for a password, its administrator's is from a Secret, and nobody signs up"
OWN_KEY: Final = "Kiali signs its sessions with a key of its own, from a Secret"
TOKEN: Final = "visitors of Kiali bring a token of their own, and see what that may see"
VIEW: Final = "Kiali's own account may only look, and not at Secrets, among which is istiod's certificate authority"
ONE_ROLE: Final = "a role that nobody has is left out"
INSTALLER: Final = "settings of Kiali's installer, which Kiali itself does not read"
ADDRESSES: Final = "Kiali is told where the other addons are, or that they are not there"
ONE_PORT: Final = "a port has one name: server-side apply refuses two"
TEMPLATE: Final = "pods of a Deployment have names of their own"
SPELLING: Final = "spelling"


def _of(reason: str, *places: str) -> dict[str, str]:
    return dict.fromkeys(places, reason)


_SERVER, _RELOADER = (
    "containers[prometheus-server].resources",
    "containers[prometheus-server-configmap-reload].resources",
)
_PODS: Final = "spec.template.spec."
_GRAFANA_ENV: Final = f"Deployment/grafana: {_PODS}containers[grafana].env"
_KIALI: Final = "ConfigMap/kiali: data.config.yaml."
_NOT_READ: Final = (
    "custom_dashboards",
    "hpa",
    "image_name",
    "image_pull_policy",
    "image_version",
    "ingress_enabled",
    "logger",
    "pod_annotations",
    "secret_name",
    "version_label",
    "view_only_mode",
)

ALWAYS: Final[Deviations] = {
    "prometheus": {
        **_of(TOOL, "Service/prometheus: spec.selector.release"),
        **_of(REQUESTS, *(f"Deployment/prometheus: {_PODS}{container}" for container in (_SERVER, _RELOADER))),
    },
    "jaeger": _of(REQUESTS, f"Deployment/jaeger: {_PODS}containers[jaeger].resources.requests.memory"),
    "grafana": {
        **_of(REQUESTS, f"Deployment/grafana: {_PODS}containers[grafana].resources"),
        **_of(ONE_PORT, f"Deployment/grafana: {_PODS}containers[grafana].ports[grafana]"),
        **_of(FULL_NAME, "ConfigMap/grafana: data.datasources.yaml.datasources[Prometheus].url"),
        **_of(
            BOOKINFO,
            "ConfigMap/bookinfo-grafana-dashboards",
            "ConfigMap/grafana: data.dashboardproviders.yaml.providers[bookinfo]",
            f"Deployment/grafana: {_PODS}containers[grafana].volumeMounts[/var/lib/grafana/dashboards/bookinfo]",
            f"Deployment/grafana: {_PODS}volumes[dashboards-bookinfo]",
        ),
        **_of(
            LABELS,
            "ConfigMap/istio-grafana-dashboards: metadata.labels",
            "ConfigMap/istio-services-grafana-dashboards: metadata.labels",
        ),
        **_of(CHECKSUM, "Deployment/grafana: spec.template.metadata.annotations.checksum/"),
    },
    "kiali": {
        **_of(REQUESTS, f"Deployment/kiali: {_PODS}containers[kiali].resources"),
        **_of(CHECKSUM, "Deployment/kiali: spec.template.metadata.annotations.checksum/config"),
        **_of(INSTALLER, *(f"{_KIALI}deployment.{key}" for key in _NOT_READ)),
        **_of(ADDRESSES, *(f"{_KIALI}external_services.{name}" for name in ("prometheus", "tracing", "grafana"))),
        **_of(TEMPLATE, "Deployment/kiali: spec.template.metadata.name"),
        **_of(
            SPELLING,
            "MonitoringDashboard/micrometer-1.0.6-jvm: spec.items[4].chart.name",
            "MonitoringDashboard/micrometer-1.1-jvm: spec.items[1].chart.name",
        ),
    },
}
SAFE: Final[Deviations] = {
    "grafana": _of(
        PASSWORD,
        "Secret/grafana",
        *(f"{_GRAFANA_ENV}[GF_{name}]" for name in ("SECURITY_ADMIN_USER", "SECURITY_ADMIN_PASSWORD")),
        *(f"{_GRAFANA_ENV}[GF_{name}]" for name in ("AUTH_ANONYMOUS_ENABLED", "AUTH_ANONYMOUS_ORG_ROLE")),
        f"{_GRAFANA_ENV}[GF_USERS_ALLOW_SIGN_UP]",
    ),
    "kiali": {
        **_of(
            OWN_KEY,
            "Secret/kiali-signing-key",
            f"{_KIALI}login_token.signing_key",
            f"Deployment/kiali: {_PODS}containers[kiali].env[LOGIN_TOKEN_SIGNING_KEY]",
        ),
        **_of(TOKEN, f"{_KIALI}auth.strategy"),
        **_of(
            VIEW,
            "ClusterRole/kiali",
            "ClusterRoleBinding/kiali",
            "ClusterRoleBinding/kiali-viewer",
            "Role/kiali-controlplane",
            "RoleBinding/kiali-controlplane",
        ),
    },
}
"""Deviations without `insecureDemo`."""
OPEN: Final[Deviations] = {"kiali": _of(ONE_ROLE, "ClusterRole/kiali-viewer")}
"""Deviations with `insecureDemo`."""


def reasons() -> set[str]:
    return {reason for kind in (ALWAYS, SAFE, OPEN) for places in kind.values() for reason in places.values()}
