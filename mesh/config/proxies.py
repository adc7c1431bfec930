"""Checks of the ProxyConfig in a stack's config: what Istio would refuse of it once its defaults are filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.config.settings import NAMESPACE, Settings
from mesh.proxy import proxyconfig
from mesh.proxy.annotations import InjectionError
from mesh.releases.release import Installation


def problems(s: Settings) -> Iterator[str]:
    """What Istio would refuse, one line each: in the MeshConfig, of which istiod then applies nothing, and in pods'
    annotations, with which their proxies do not start."""
    for mesh in s.installations.values():
        if mesh.values.pilot.configMap:
            yield from _of_mesh(mesh, path_of(s, mesh))
    yield from _of_annotations(s)
    yield from _behind_load_balancers(s)


def path_of(s: Settings, mesh: Installation) -> str:
    """The path of the keys of a control plane, with the separator."""
    return f"{NAMESPACE}:controlPlanes.{mesh.revision}." if mesh.revision in s.controlPlanes else f"{NAMESPACE}:"


def _of_mesh(mesh: Installation, keys: str) -> Iterator[str]:
    release, given = mesh.release, mesh.values.meshConfig
    config = proxyconfig.effective(release.proxy_config, release.mesh_config(mesh), {})
    tracing = given.defaultConfig.tracing if given.defaultConfig else None
    for path, text in release.refused_proxy_config(config):
        key = f"{keys}meshConfig.defaultConfig.{'.'.join(map(str, path))}"
        if path[0] == "tracing" and not (tracing and tracing.is_set(str(path[1]))):
            key = f"{keys}global.proxy.tracer: {path[1]} is chosen, and {key}"
        yield f"{key}: {text}; istiod would refuse the whole mesh config and go on without it"


def _of_annotations(s: Settings) -> Iterator[str]:
    for mesh, key, given in _annotated(s):
        if proxyconfig.ANNOTATION in given:
            release = mesh.release
            for line in proxyconfig.problems(
                release.proxy_config, release.refused_proxy_config, release.mesh_config(mesh), given, injected=False
            ):
                yield f"{key}: {line}"


def _behind_load_balancers(s: Settings) -> Iterator[str]:
    """Hosts whose gateway redirects by the scheme that a load balancer says, and does not believe it: it would redirect
    for ever."""
    for name, entry in s.traffic.hosts.items():
        gateway = s.gateways.get(entry.gateway)
        redirects = entry.tls and entry.tls.before_gateway and entry.tls.redirect
        if gateway and redirects and not _trusted(s.control_plane_of(gateway.revision), gateway.podAnnotations):
            yield (
                f"mesh:traffic.hosts.{name}.tls: {entry.gateway} does not believe x-forwarded-proto, and would redirect"
                " for ever: set mesh:meshConfig.defaultConfig.gatewayTopology.numTrustedProxies to the number of load"
                " balancers before it (only they may reach it), or redirect to false"
            )


def _trusted(mesh: Installation, annotations: Mapping[str, str]) -> bool:
    """Whether a gateway with these annotations believes the proxies before it."""
    release = mesh.release
    try:
        found = proxyconfig.effective(release.proxy_config, release.mesh_config(mesh), annotations)
    except InjectionError:
        return True  # `_of_annotations` says what is wrong
    return bool((found.get("gatewayTopology") or {}).get("numTrustedProxies"))


def _annotated(s: Settings) -> Iterator[tuple[Installation, str, Mapping[str, str]]]:
    """The settings that annotate pods with proxies: their control plane, key and annotations. None of them passes the
    injector's checks: gateways are not injected, and what the injector itself adds it does not check."""
    for name, gateway in s.gateways.items():
        if gateway.enabled:
            key = f"{NAMESPACE}:gateways.{name}.podAnnotations"
            yield s.control_plane_of(gateway.revision), key, gateway.podAnnotations
    for mesh in s.installations.values():
        webhook = mesh.values.sidecarInjectorWebhook
        yield mesh, f"{path_of(s, mesh)}sidecarInjectorWebhook.injectedAnnotations", webhook.injectedAnnotations
