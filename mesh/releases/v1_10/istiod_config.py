"""The configuration that istiod 1.10 reads from its ConfigMaps: MeshConfig, and the injection values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.model import wire
from mesh.api.proxy_config import ProxyTracing
from mesh.core.merge import merged
from mesh.core.names import XDS_PORT, ZIPKIN, ZIPKIN_PORT
from mesh.releases.common.injection_values import global_values, plain
from mesh.releases.release import Installation
from mesh.releases.v1_10 import remote

_TRACERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "zipkin": {"address": f"{ZIPKIN}.{{root}}:{ZIPKIN_PORT}"},
    "lightstep": {},
    "datadog": {"address": "$(HOST_IP):8126"},
    "stackdriver": dict.fromkeys(("maxNumberOfAnnotations", "maxNumberOfAttributes", "maxNumberOfMessageEvents"), 200),
    "openCensusAgent": {},
}
"""Default settings of each tracer; `{root}` is the root namespace."""


def mesh_config(mesh: Installation) -> dict[str, Any]:
    """The MeshConfig: what follows from the installation, with `meshConfig` of the values merged in."""
    given = wire(mesh.values.meshConfig)
    proxies: dict[str, Any] = {"discoveryAddress": _discovery_address(mesh), "tracing": _tracing(mesh, given)}
    if mesh.values.global_.meshID:
        proxies["meshId"] = mesh.values.global_.meshID
    return merged({"rootNamespace": mesh.root, "defaultConfig": proxies}, given)


def _discovery_address(mesh: Installation) -> str:
    """istiod's address for proxies, here or elsewhere."""
    elsewhere = f"{remote.host(mesh)}.{mesh.root}.svc:{XDS_PORT}"
    return elsewhere if mesh.values.global_.remotePilotAddress else mesh.discovery_address


def _tracing(mesh: Installation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Default settings of the tracer that `meshConfig` names, else of `global.proxy.tracer`. Only one may be set."""
    named = given.get("defaultConfig", {}).get("tracing", {})
    tracer = next((name for name in ProxyTracing.TRACERS if name in named), mesh.values.global_.proxy.tracer)
    if tracer == ZIPKIN and mesh.collector:
        return {tracer: {"address": mesh.collector}}
    return {tracer: {key: _in_root(value, mesh) for key, value in _TRACERS[tracer].items()}}


def _in_root(value: Any, mesh: Installation) -> Any:
    return value.replace("{root}", mesh.root) if isinstance(value, str) else value


def injection_values(mesh: Installation) -> dict[str, Any]:
    """The values that the injection templates read as `.Values`, with the structure of Istio 1.10's Helm charts."""
    return {
        "global": _global(mesh),
        "istio_cni": {"enabled": mesh.values.cni.enabled},
        "revision": mesh.values.revision,
        "sidecarInjectorWebhook": {
            **plain(mesh.values.sidecarInjectorWebhook, mesh.release.name),
            "objectSelector": {"autoInject": True, "enabled": True},
            "useLegacySelectors": False,
        },
    }


def _global(mesh: Installation) -> dict[str, Any]:
    return {
        **global_values(mesh),
        "namespace": mesh.root,
        "tracer": _tracers(),
        "configValidation": True,
        "defaultNodeSelector": {},
        "enabled": mesh.values.pilot.enabled,
        "pilotCertProvider": "istiod",
        "useMCP": False,
    }


def _tracers() -> dict[str, Any]:
    """The former section for tracer settings (`global.tracer`), whose keys templates still expect."""
    return {
        "datadog": dict(_TRACERS["datadog"]),
        "stackdriver": {"debug": False, **_TRACERS["stackdriver"]},
        "zipkin": {"address": ""},
        "lightstep": {"accessToken": "", "address": ""},
    }
