"""The configuration that istiod 1.30 reads from its ConfigMaps: MeshConfig, and the injection values."""

from __future__ import annotations

from typing import Any, Final

from mesh.api.model import wire
from mesh.core.merge import differing, merged
from mesh.core.names import XDS_PORT
from mesh.releases.common.injection_values import drop_defaults, global_values, plain
from mesh.releases.common.tracers import tracers
from mesh.releases.release import Installation
from mesh.releases.v1_30.addons import jaeger
from mesh.values.proxy import Global, Proxy
from mesh.values.telemetry import TelemetryV2
from mesh.values.tracers import StackdriverTracer, Tracers
from mesh.values.workload import OwnImage, PodSettings

_UNLESS_DEFAULT: Final = {
    "global": (
        "platform",
        "trustBundleName",
        "enableReaderRBAC",
        "arch",
        "defaultNodeSelector",
        "defaultTolerations",
        "ipFamilyPolicy",
        "ipFamilies",
    ),
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
    if telemetry.installed and not given.get("defaultProviders") and (providers := _providers(telemetry.v2)):
        own["defaultProviders"] = providers
    return jaeger.traced(mesh, merged(own, given))


def _discovery_address(mesh: Installation) -> str:
    """istiod's address for proxies; that of a remote one has no revision."""
    chosen = mesh.values.istiodRemote
    name = "istiod-remote" if chosen.enabled and chosen.enabledLocalInjectorIstiod else "istiod"
    remote = f"{name}.{mesh.root}.svc:{XDS_PORT}"
    return remote if mesh.values.global_.remotePilotAddress else mesh.discovery_address


def _tracing(mesh: Installation) -> dict[str, Any]:
    """The tracer of the proxies; none if the values choose `none`, since Telemetry objects name a provider."""
    chosen = mesh.values.global_.proxy.tracer
    if chosen == "none":
        return {}
    settings = {**tracers(mesh), "stackdriver": StackdriverTracer().model_dump()}
    return {"tracing": {chosen: settings[chosen]}}


def _providers(telemetry: TelemetryV2) -> dict[str, list[str]]:
    """The default providers of metrics and access logs."""
    enabled = {"prometheus": telemetry.prometheus.enabled, "stackdriver": telemetry.stackdriver.enabled}
    metrics = [name for name, is_enabled in enabled.items() if is_enabled]
    logs = {"accessLogging": ["stackdriver"]} if telemetry.stackdriver.enabled else {}
    return {"metrics": metrics, **logs} if metrics else {}


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
    drop_defaults(chosen, Global, _UNLESS_DEFAULT["global"])
    drop_defaults(chosen["proxy"], Proxy, _UNLESS_DEFAULT["proxy"])
    tracer = differing(chosen.pop("tracer"), plain(Tracers(), mesh.release.name))
    return {**chosen, **({"tracer": tracer} if tracer else {})}


_NO_VALUES: Final = frozenset((*PodSettings.model_fields, *OwnImage.model_fields, "nodeSelector", "namespace"))
"""Settings of the CNI plugin that belong to IstioOperator's components, not to the values of its chart."""


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
    own = {key: item for key, item in differing(chosen, defaults).items() if key not in _NO_VALUES}
    return {**own, "enabled": enabled, "provider": pilot.provider or values.cni.provider}
