"""The settings, variables, annotations and profiles of Istio 1.10 that 1.30 no longer has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.differences import Gone


def _gone(since: str, source: str, after: str, remedy: str = "leave it out") -> Gone:
    return Gone(since=since, after=after, remedy=remedy, source=source)


_SNIFFING: Final = _gone(
    "1.24", "51987.yaml", "protocols are always detected", "leave it out, and name the protocol of each port"
)
_FILTERS: Final = _gone("1.21", "drop-telemetry-envoyfilter.yaml", "proxies have telemetry built in")
_OF_STACKDRIVER: Final = _gone(
    "1.21",
    "drop-telemetry-envoyfilter.yaml",
    "mesh:telemetry.v2.stackdriver.enabled names the provider stackdriver for the mesh",
    "leave it out; Telemetry objects set what is logged, and the labels of metrics",
)
_CORE_DUMPS: Final = _gone(
    "1.24", "drop-coredump.yaml", "no init container prepares the node", "set the node's core pattern yourself"
)

SETTINGS: Final[Mapping[str, Gone]] = {
    "Base.enableIstioConfigCRDs": _gone(
        "1.24",
        "istio/istio: charts of tag 1.24.0",
        "the definitions are installed with the base",
        "leave it out; mesh:base.excludedCRDs leaves out single definitions",
    ),
    "Cni.logLevel": _gone("1.24", "51972.yaml", "it has had no effect", "set mesh:global.logging.level"),
    "Cni.psp_cluster_role": _gone("1.21", "cni-drop-psp.yaml", "Kubernetes has no PodSecurityPolicy any more"),
    "Cni.taint": _gone(
        "1.18",
        "drop-taint.yaml",
        "no controller removes that taint from nodes: pods wait there forever",
        "leave it out, give nodes no taint NodeReadiness, and let cni.repair handle pods that start too early",
    ),
    "Global.jwtPolicy": _gone(
        "1.22", "no-1p-jwt.yaml", "proxies always authenticate with tokens that are bound to their pods"
    ),
    "Global.oneNamespace": _gone("1.22", "istio/istio: charts of tag 1.22.0", "istiod watches all namespaces"),
    "MeshProxyConfig.parentShutdownDuration": _gone("1.17", "istio/api: mesh/v1alpha1", "proxies do not restart hot"),
    "MultiCluster.enabled": _gone("1.27", "istio/istio: charts of tag 1.27.0", "only clusterName counts"),
    "Pilot.enableProtocolSniffingForInbound": _SNIFFING,
    "Pilot.enableProtocolSniffingForOutbound": _SNIFFING,
    "Prometheus.configOverride": _gone(
        "1.21",
        "drop-telemetry-envoyfilter.yaml",
        "proxies have telemetry built in",
        "leave it out; Telemetry objects change the labels of metrics",
    ),
    "Prometheus.wasmEnabled": _FILTERS,
    "Proxy.enableCoreDump": _CORE_DUMPS,
    "ProxyInit.resources": _gone(
        "1.18", "istio/istio: profiles of tag 1.18.0", "the init container has the sidecar's resources, as before"
    ),
    "StackdriverFilter.configOverride": _OF_STACKDRIVER,
    "StackdriverFilter.disableOutbound": _OF_STACKDRIVER,
    "StackdriverFilter.inboundAccessLogging": _OF_STACKDRIVER,
    "StackdriverFilter.logging": _OF_STACKDRIVER,
    "StackdriverFilter.outboundAccessLogging": _OF_STACKDRIVER,
    "TelemetryV2.accessLogPolicy": _OF_STACKDRIVER,
    "TelemetryV2.metadataExchange": _FILTERS,
    "Tracers.stackdriver": _gone(
        "1.24",
        "istio/istio: charts of tag 1.24.0",
        "proxies have no OpenCensus, by which they sent spans to Google Cloud",
        "send spans by OpenTelemetry: an entry of mesh:meshConfig.extensionProviders",
    ),
}

_SOURCE: Final = "istio/istio: pilot/pkg/features of the release's tag"
_UNREAD: Final = "nothing reads it"
_ALWAYS: Final = "what it turned on is always on"
_VARIABLES: Final[Mapping[str, tuple[str, str, str]]] = {
    "ENABLE_LEGACY_FSGROUP_INJECTION": ("1.19", "drop-legacy-fsgroup-injection.yaml", "pods get no fsGroup"),
    "ENABLE_WASM_TELEMETRY": ("1.19", _SOURCE, "proxies have telemetry built in"),
    "ENVOY_DEBUG": ("1.14", _SOURCE, _UNREAD),
    "ENVOY_PATH": ("1.14", _SOURCE, _UNREAD),
    "GKE_CLUSTER_URL": ("1.23", _SOURCE, _UNREAD),
    "ISTIOD_ENABLE_SDS_SERVER": ("1.11", _SOURCE, _ALWAYS),
    "ISTIO_DEFAULT_REQUEST_TIMEOUT": (
        "1.19",
        "drop-default-request-timeout.yaml",
        "requests have no timeout unless a VirtualService has one",
    ),
    "ISTIO_GATEWAY_STRIP_HOST_PORT": ("1.18", _SOURCE, "ports in Host headers never count in the choice of a host"),
    "ISTIO_META_DNS_CONNTRACK_ZONE": ("1.11", _SOURCE, _ALWAYS),
    "ISTIO_META_INCLUDE_INBOUND_PORTS": ("1.11", _SOURCE, "it has had no effect"),
    "ISTIO_META_ROUTER_MODE": ("1.11", "auto-auto-passthrough.yaml", "a Gateway with AUTO_PASSTHROUGH is enough"),
    "PILOT_ALLOW_METADATA_CERTS_DR_MUTUAL_TLS": ("1.11", _SOURCE, _UNREAD),
    "PILOT_DISTRIBUTION_HISTORY_RETENTION": ("1.23", _SOURCE, "istiod keeps no history of what it has sent"),
    "PILOT_ENABLED_SERVICE_APIS": ("1.12", _SOURCE, "PILOT_ENABLE_GATEWAY_API has taken its place"),
    "PILOT_ENABLE_CONFIG_DISTRIBUTION_TRACKING": ("1.23", _SOURCE, "istiod does not track what proxies have received"),
    "PILOT_ENABLE_DESTINATION_RULE_INHERITANCE": (
        "1.20",
        "drop-legacy-inheritance-flag.yaml",
        "DestinationRules inherit nothing from those of the mesh or of their namespace",
    ),
    "PILOT_ENABLE_FLOW_CONTROL": ("1.14", _SOURCE, _UNREAD),
    "PILOT_ENABLE_HEADLESS_SERVICE_POD_LISTENERS": ("1.22", "drop-headless.yaml", _ALWAYS),
    "PILOT_ENABLE_INBOUND_PASSTHROUGH": (
        "1.21",
        "drop-legacy-inbound-passthrough.yaml",
        "sidecars hand connections to the pod's address: an application that listens on 127.0.0.1 alone gets none",
    ),
    "PILOT_ENABLE_ISTIO_TAGS": ("1.19", "drop-legacy-istio-trace-tags.yaml", "spans have Istio's tags"),
    "PILOT_ENABLE_LEGACY_AUTO_PASSTHROUGH": (
        "1.19",
        "drop-legacy-autopassthrough.yaml",
        "gateways with AUTO_PASSTHROUGH lead to services with mutual TLS only",
    ),
    "PILOT_ENABLE_MCS_SERVICEEXPORT": ("1.11", _SOURCE, "ENABLE_MCS_AUTO_EXPORT has taken its place"),
    "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_INBOUND": ("1.19", "flagprotocol-sniffing.yaml", _ALWAYS),
    "PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_OUTBOUND": ("1.19", "flagprotocol-sniffing.yaml", _ALWAYS),
    "PILOT_ENABLE_STATUS": ("1.24", _SOURCE, "PILOT_ENABLE_ANALYSIS writes problems into the status of objects"),
    "PILOT_ENABLE_VIRTUAL_SERVICE_DELEGATE": ("1.14", _SOURCE, _ALWAYS),
    "PILOT_FLOW_CONTROL_TIMEOUT": ("1.15", _SOURCE, _UNREAD),
    "PILOT_INBOUND_PROTOCOL_DETECTION_TIMEOUT": (
        "1.19",
        "drop-protocol-detection.yaml",
        "mesh:meshConfig.protocolDetectionTimeout applies, which is 0s: no limit",
    ),
    "PILOT_STATUS_BURST": ("1.27", _SOURCE, _UNREAD),
    "PILOT_STATUS_QPS": ("1.27", _SOURCE, _UNREAD),
    "PILOT_USE_ENDPOINT_SLICE": ("1.19", _SOURCE, "istiod always reads EndpointSlices"),
    "PILOT_XDS_SEND_TIMEOUT": ("1.22", _SOURCE, _UNREAD),
    "PROXY_XDS_VIA_AGENT": ("1.12", _SOURCE, _ALWAYS),
    "REQUIRE_3P_TOKEN": ("1.24", _SOURCE, _ALWAYS),
    "SPIFFE_BUNDLE_ENDPOINTS": (
        "1.19",
        "drop-legacy-spiffe-bundle-endpoints.yaml",
        "mesh:meshConfig.caCertificates has the roots of other trust domains",
    ),
}
_REMEDIES: Final[Mapping[str, str]] = {
    "ISTIO_DEFAULT_REQUEST_TIMEOUT": "write timeout in the routes of VirtualServices",
    "PILOT_ENABLE_DESTINATION_RULE_INHERITANCE": "write into each DestinationRule what it inherits",
    "PILOT_ENABLE_INBOUND_PASSTHROUGH": "if it is false, let applications listen on 0.0.0.0 first; then leave it out",
    "PILOT_INBOUND_PROTOCOL_DETECTION_TIMEOUT": "set mesh:meshConfig.protocolDetectionTimeout, or name the protocol of"
    " each port",
    "SPIFFE_BUNDLE_ENDPOINTS": "set mesh:meshConfig.caCertificates",
}
"""What to do about a variable, if it is more than to leave it out."""
VARIABLES: Final[Mapping[str, Gone]] = {
    name: _gone(since, source, after, _REMEDIES.get(name, "leave it out"))
    for name, (since, source, after) in _VARIABLES.items()
}
ANNOTATIONS: Final[Mapping[str, Gone]] = {"sidecar.istio.io/enableCoreDump": _CORE_DUMPS}
PROFILES: Final[Mapping[str, Gone]] = {
    "external": _gone("1.22", "50218.yaml", "the profile is called remote", "set mesh:profile to remote")
}
