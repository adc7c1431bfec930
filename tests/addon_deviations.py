"""Intended deviations of the addons from Istio's samples: `Kind/name: path`, or its beginning, with the reason.

Each reason also stands in docs/addons.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Deviations = Mapping[str, Mapping[str, str]]

REQUESTS: Final = "every container has resource requests"
TOOL: Final = "labels that only tell which tool installed an object are left out"
FULL_NAME: Final = "data sources use addresses with the namespace"
BOOKINFO: Final = "there is an additional dashboard for Bookinfo"
LABELS: Final = "objects carry the labels of their addon"
CHECKSUM: Final = "pods restart when a configuration changes that they read only at their start"
PASSWORD: Final = "Grafana asks for a password, which is in a Secret, and visitors cannot sign up"
OWN_KEY: Final = "Kiali signs its sessions with its own key, which is in a Secret"
TOKEN: Final = "visitors log in with their own token and see what that token may see"
VIEW: Final = "Kiali's own account is read-only and cannot read Secrets, which include istiod's certificate authority"
ONE_ROLE: Final = "a role that nobody is bound to is left out"
INSTALLER: Final = "settings that only Kiali's installer reads are left out"
ADDRESSES: Final = "its configuration says where the other addons are, or that they are not installed"
ONE_PORT: Final = "a port has only one name, since server-side apply refuses two"
TEMPLATE: Final = "the pod template has no name, since pods of a Deployment get their own names"
SPELLING: Final = 'the spelling of "committed" is corrected'


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


SECURITY: Final = "pods meet the Pod Security Standard `restricted`"
TOKEN_OF_POD: Final = "pods that do not call the API server get no token for it"
LEFTOVER: Final = "a key that nothing reads is left out"
SURGE: Final = (
    "a rolling update stops the old pod first, since server-side apply cannot change a Deployment to `Recreate`"
)
OFF: Final = "ports and variables are left out if their feature is off or the configuration file already has the value"
DEFAULTS: Final = "settings that only repeat a default are left out"
NOT_INJECTED: Final = "a setting for the sidecar is left out, since pods of addons have no sidecar"
VOLUME: Final = "the volume is a setting, and without it the data is lost with the pod"
ONE_POD: Final = "there is only one pod, so it needs no affinity rules, and all its Services use the same selector"
PORTS: Final = "Services refer to ports of pods by number"
OWN_MAPS: Final = (
    "rules are read from ConfigMaps in Istio's namespace, not from Secrets and ConfigMaps in the whole cluster"
)

_LOKI: Final = f"StatefulSet/loki: {_PODS}"
_LOKI_CONFIG: Final = "ConfigMap/loki: data.config.yaml."
_OF_INSTALLER: Final = (
    "clustering",
    "deployment.hpa",
    "deployment.image_",
    "deployment.ingress",
    "deployment.logger",
    "deployment.network_policy",
    "deployment.pod_",
    "deployment.probes",
    "deployment.remote_cluster_resources_only",
    "deployment.resources",
    "deployment.secret_name",
    "deployment.version_label",
    "external_services.istio.root_namespace",
)
_KIALIS_DEFAULTS: Final = (
    "chat_ai",
    "deployment.tls_config",
    "deployment.view_only_mode",
    "kiali_feature_flags",
    "server.observability.metrics.health_status",
)

_ALWAYS_1_30: Final[Deviations] = {
    "prometheus": {
        **_of(LEFTOVER, "ConfigMap/prometheus: data.allow-snippet-annotations"),
        **_of(REQUESTS, *(f"Deployment/prometheus: {_PODS}{container}" for container in (_SERVER, _RELOADER))),
        **_of(
            SECURITY,
            f"Deployment/prometheus: {_PODS}securityContext",
            f"Deployment/prometheus: {_PODS}containers[prometheus-server].securityContext",
            f"Deployment/prometheus: {_PODS}containers[prometheus-server-configmap-reload].securityContext",
        ),
        **_of(SURGE, "Deployment/prometheus: spec.strategy"),
    },
    "jaeger": {
        **_of(REQUESTS, f"Deployment/jaeger: {_PODS}containers[jaeger].resources.requests.memory"),
        **_of(CHECKSUM, "Deployment/jaeger: spec.template.metadata.annotations.checksum/config"),
        **_of(
            SECURITY,
            f"Deployment/jaeger: {_PODS}securityContext",
            f"Deployment/jaeger: {_PODS}containers[jaeger].securityContext",
        ),
        **_of(TOKEN_OF_POD, f"Deployment/jaeger: {_PODS}automountServiceAccountToken"),
    },
    "loki": {
        **_of(REQUESTS, *(f"{_LOKI}containers[{name}].resources" for name in ("loki", "loki-sc-rules"))),
        **_of(CHECKSUM, "StatefulSet/loki: spec.template.metadata.annotations.checksum/config"),
        **_of(SECURITY, f"{_LOKI}securityContext.seccompProfile"),
        **_of(
            DEFAULTS,
            *(f"{_LOKI_CONFIG}{key}" for key in ("bloom_build", "bloom_gateway", "index_gateway", "pattern_ingester")),
            f"{_LOKI_CONFIG}storage_config.use_thanos_objstore",
            "ServiceAccount/loki: automountServiceAccountToken",
            f"{_LOKI}automountServiceAccountToken",
            f"{_LOKI}terminationGracePeriodSeconds",
            f"{_LOKI}volumes[config].configMap.items",
        ),
        **_of(PORTS, *(f"Service/{name}: spec.ports" for name in ("loki", "loki-headless", "loki-memberlist"))),
        **_of(LABELS, "Service/loki-headless: metadata.labels", "StatefulSet/loki: spec.template.metadata.labels"),
        **_of(
            ONE_POD,
            *(f"Service/{name}: spec.selector" for name in ("loki-headless", "loki-memberlist")),
            f"{_LOKI}affinity",
        ),
        **_of(
            VOLUME,
            "StatefulSet/loki: spec.persistentVolumeClaimRetentionPolicy",
            "StatefulSet/loki: spec.volumeClaimTemplates",
            "StatefulSet/loki: spec.template.metadata.annotations.storage/size",
            f"{_LOKI}volumes[storage]",
        ),
    },
    "grafana": {
        **{at: why for at, why in ALWAYS["grafana"].items() if why in (REQUESTS, FULL_NAME, BOOKINFO, CHECKSUM)},
        **_of(FULL_NAME, "ConfigMap/grafana: data.datasources.yaml.datasources[Loki].url"),
        **_of(
            SECURITY,
            f"Deployment/grafana: {_PODS}securityContext",
            f"Deployment/grafana: {_PODS}containers[grafana].securityContext.seccompProfile",
        ),
        **_of(
            TOKEN_OF_POD,
            f"Deployment/grafana: {_PODS}automountServiceAccountToken",
            "ServiceAccount/grafana: automountServiceAccountToken",
        ),
        **_of(
            OFF,
            f"{_GRAFANA_ENV}[GF_PATHS_",
            f"{_GRAFANA_ENV}[POD_IP]",
            *(f"Deployment/grafana: {_PODS}containers[grafana].ports[{port}" for port in ("gossip-", "profiling]")),
        ),
    },
    "kiali": {
        **_of(REQUESTS, f"Deployment/kiali: {_PODS}containers[kiali].resources"),
        **_of(CHECKSUM, "Deployment/kiali: spec.template.metadata.annotations.checksum/config"),
        **_of(INSTALLER, *(f"{_KIALI}{key}" for key in _OF_INSTALLER)),
        **_of(DEFAULTS, *(f"{_KIALI}{key}" for key in _KIALIS_DEFAULTS)),
        **_of(ADDRESSES, *(f"{_KIALI}external_services.{name}" for name in ("prometheus", "tracing", "grafana"))),
        **_of(TEMPLATE, "Deployment/kiali: spec.template.metadata.name"),
        **_of(NOT_INJECTED, "Deployment/kiali: spec.template.metadata.annotations.proxy.istio.io/config"),
        **_of(
            SECURITY,
            f"Deployment/kiali: {_PODS}securityContext",
            f"Deployment/kiali: {_PODS}containers[kiali].securityContext",
        ),
    },
}
_SAFE_1_30: Final[Deviations] = {
    "loki": _of(
        OWN_MAPS,
        "ClusterRole/loki-clusterrole",
        "ClusterRoleBinding/loki-clusterrolebinding",
        "Role/loki",
        "RoleBinding/loki",
        f"{_LOKI}containers[loki-sc-rules].env[RESOURCE]",
    ),
    "grafana": _of(
        PASSWORD,
        "Secret/grafana",
        f"{_GRAFANA_ENV}[GF_SECURITY_ADMIN_PASSWORD]",
        *(f"{_GRAFANA_ENV}[GF_{name}]" for name in ("AUTH_ANONYMOUS_ENABLED", "AUTH_ANONYMOUS_ORG_ROLE")),
        f"{_GRAFANA_ENV}[GF_USERS_ALLOW_SIGN_UP]",
    ),
    "kiali": {
        **_of(
            OWN_KEY,
            "Secret/kiali-signing-key",
            f"{_KIALI}login_token.signing_key",
            f"Deployment/kiali: {_PODS}containers[kiali].volumeMounts[/kiali-override-secrets",
            f"Deployment/kiali: {_PODS}volumes[kiali-signing-key]",
        ),
        **_of(TOKEN, f"{_KIALI}auth.strategy"),
        **_of(
            VIEW,
            "ClusterRole/kiali",
            "ClusterRole/kiali-viewer",
            "ClusterRoleBinding/kiali",
            "ClusterRoleBinding/kiali-viewer",
        ),
    },
}

_BY_RELEASE: Final = {"1.10": (ALWAYS, SAFE, OPEN), "1.30": (_ALWAYS_1_30, _SAFE_1_30, {})}


def deviations(release: str, addon: str, insecure: bool) -> dict[str, str]:
    """The reasons by place."""
    always, safe, opened = _BY_RELEASE[release]
    return {**always[addon], **(opened if insecure else safe).get(addon, {})}


def reasons() -> set[str]:
    kinds = [kind for of_release in _BY_RELEASE.values() for kind in of_release]
    return {reason for kind in kinds for places in kind.values() for reason in places.values()}
