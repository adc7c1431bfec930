"""The configuration that istiod 1.30 reads from its ConfigMaps: MeshConfig, and the injection values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.model import wire
from mesh.core.merge import merged
from mesh.core.names import XDS_PORT, ZIPKIN, ZIPKIN_PORT
from mesh.releases.common.injection_values import global_values, plain
from mesh.releases.release import Installation
from mesh.releases.v1_30.addons import jaeger
from mesh.values.proxy import Global, Proxy
from mesh.values.workload import OwnImage, PodSettings

_TRACERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "zipkin": {"address": f"{ZIPKIN}.{{root}}:{ZIPKIN_PORT}"},
    "lightstep": {},
    "datadog": {"address": "$(HOST_IP):8126"},
    "stackdriver": {
        "debug": False,
        **dict.fromkeys(("maxNumberOfAnnotations", "maxNumberOfAttributes", "maxNumberOfMessageEvents"), 200),
    },
    "openCensusAgent": {},
}
"""Default settings of each tracer; `{root}` is the root namespace."""
_UNLESS_DEFAULT: Final = {
    "global": ("platform", "trustBundleName", "enableReaderRBAC"),
    "proxy": ("holdApplicationUntilProxyStarts", "lifecycle", "variant"),
}
"""Settings that the charts' defaults do not have: they are there only if somebody sets them."""


def mesh_config(mesh: Installation) -> dict[str, Any]:
    """The MeshConfig: what follows from the installation, with `meshConfig` of the values merged in."""
    given, values = wire(mesh.values.meshConfig), mesh.values
    proxies: dict[str, Any] = {"discoveryAddress": _discovery_address(mesh), **_tracing(mesh)}
    if values.global_.meshID:
        proxies["meshId"] = values.global_.meshID
    if variant := values.global_.proxy.variant or values.global_.variant:
        proxies["image"] = {"imageType": variant}
    own: dict[str, Any] = {"trustDomain": "cluster.local", "rootNamespace": mesh.root, "defaultConfig": proxies}
    telemetry = values.telemetry
    if telemetry.installed and telemetry.v2.prometheus.enabled and not given.get("defaultProviders"):
        own["defaultProviders"] = {"metrics": ["prometheus"]}
    return jaeger.traced(mesh, merged(own, given))


def _discovery_address(mesh: Installation) -> str:
    """istiod's address for proxies; that of a remote one is always the Service `istiod`."""
    remote = f"istiod.{mesh.root}.svc:{XDS_PORT}"
    return remote if mesh.values.global_.remotePilotAddress else mesh.discovery_address


def _tracing(mesh: Installation) -> dict[str, Any]:
    """The tracer of the proxies; none if the values choose `none`, since Telemetry objects name a provider."""
    tracer = mesh.values.global_.proxy.tracer
    if tracer == "none":
        return {}
    settings = {key: _in_root(value, mesh) for key, value in _TRACERS[tracer].items()}
    return {"tracing": {tracer: settings}}


def _in_root(value: Any, mesh: Installation) -> Any:
    return value.replace("{root}", mesh.root) if isinstance(value, str) else value


def injection_values(mesh: Installation) -> dict[str, Any]:
    """The values that the injection templates read as `.Values`, with the structure of Istio 1.30's Helm charts."""
    values = mesh.values
    return {
        "global": _global(mesh),
        "gateways": plain(values.injectedGateways, mesh.release.name),
        "pilot": {
            "cni": _cni(mesh),
            "env": dict(values.pilot.env),
            **({"crlConfigMapName": values.pilot.crlConfigMapName} if values.pilot.crlConfigMapName else {}),
        },
        "revision": values.revision,
        "sidecarInjectorWebhook": plain(values.sidecarInjectorWebhook, mesh.release.name),
    }


def _global(mesh: Installation) -> dict[str, Any]:
    chosen = global_values(mesh)
    for section, kind, names in (
        (chosen, Global, _UNLESS_DEFAULT["global"]),
        (chosen["proxy"], Proxy, _UNLESS_DEFAULT["proxy"]),
    ):
        for name in names:
            if section[name] == kind.model_fields[name].default:
                del section[name]
    return chosen


_NO_VALUES: Final = frozenset((*PodSettings.model_fields, *OwnImage.model_fields, "nodeSelector", "namespace"))
"""Settings of the CNI plugin that are none of its chart's values, but of IstioOperator's components."""


def _cni(mesh: Installation) -> dict[str, Any]:
    """The CNI plugin as the templates see it: whether pods use it, and what differs from the release's defaults."""
    pilot, values, release = mesh.values.pilot.cni, mesh.values, mesh.release
    root = release.profiles.names[0]
    defaults = plain(release.values(root).cni, release.name)
    # Istio's platforms and compatibility versions set two fields elsewhere, where the templates do not look.
    where = {"global": {"platform": values.global_.platform}, "compatibilityVersion": values.compatibilityVersion}
    elsewhere = release.values(root, where).cni
    defaults["seLinuxOptions"] = elsewhere.seLinuxOptions
    defaults["ambient"]["shareHostNetworkNamespace"] = elsewhere.ambient.shareHostNetworkNamespace
    chosen = plain(values.cni, release.name)
    enabled = values.cni.enabled if pilot.enabled is None else pilot.enabled
    differing = {key: item for key, item in _differences(chosen, defaults).items() if key not in _NO_VALUES}
    return {**differing, "enabled": enabled, "provider": pilot.provider or values.cni.provider}


def _differences(chosen: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of `chosen` that are not in `defaults`."""
    found = {}
    for name, value in chosen.items():
        default = defaults.get(name)
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            value, default = _differences(value, default), {}
        if value != default:
            found[name] = value
    return found
