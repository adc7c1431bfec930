"""The configuration that istiod 1.10 reads from its ConfigMaps: MeshConfig, and the injection values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.model import wire
from mesh.api.proxy_config import ProxyTracing
from mesh.core.merge import merged
from mesh.core.names import XDS_PORT
from mesh.releases.common.injection_values import drop_defaults, global_values, plain
from mesh.releases.common.tracers import tracers
from mesh.releases.release import Installation
from mesh.releases.v1_10 import remote
from mesh.values.proxy import Global, Proxy

_UNLESS_DEFAULT: Final = {"global": ("arch", "defaultTolerations"), "proxy": ("includeOutboundPorts",)}
"""Settings that the charts' defaults do not have: they are there only if somebody sets them."""


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
    return {tracer: tracers(mesh, mesh.collector)[tracer]}


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
    chosen = global_values(mesh)
    drop_defaults(chosen, Global, _UNLESS_DEFAULT["global"])
    drop_defaults(chosen["proxy"], Proxy, _UNLESS_DEFAULT["proxy"])
    return {
        **chosen,
        "namespace": mesh.root,
        "enabled": mesh.values.pilot.enabled,
        "useMCP": False,
    }
