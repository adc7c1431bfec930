"""Checks of the ProxyConfig in a stack's config: the values that Istio refuses once its defaults are filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.config.settings import NAMESPACE, Settings
from mesh.proxy import proxyconfig
from mesh.proxy.annotations import InjectionError
from mesh.releases.release import Installation


def problems(s: Settings) -> Iterator[str]:
    """The values that Istio would refuse, one line each: in the MeshConfig, of which istiod would then apply nothing,
    and in annotations of pods, whose proxies would then not start."""
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
    """Hosts whose gateway redirects by the scheme that a load balancer reports, but does not trust the load balancer:
    it would redirect forever."""
    for name, entry in s.traffic.hosts.items():
        gateway = s.gateways.get(entry.gateway)
        redirects = entry.tls and entry.tls.before_gateway and entry.tls.redirect
        if gateway and redirects and not _trusted(s.control_plane_of(gateway.revision), gateway.podAnnotations):
            yield (
                f"mesh:traffic.hosts.{name}.tls: {entry.gateway} does not trust x-forwarded-proto, and would redirect"
                " forever: set mesh:meshConfig.defaultConfig.gatewayTopology.numTrustedProxies to the number of load"
                " balancers before it (only they may reach it), or redirect to false"
            )


def _trusted(mesh: Installation, annotations: Mapping[str, str]) -> bool:
    """Whether a gateway with these annotations trusts the proxies in front of it."""
    release = mesh.release
    try:
        found = proxyconfig.effective(release.proxy_config, release.mesh_config(mesh), annotations)
    except InjectionError:
        return True  # `_of_annotations` reports the problem
    return bool((found.get("gatewayTopology") or {}).get("numTrustedProxies"))


def _annotated(s: Settings) -> Iterator[tuple[Installation, str, Mapping[str, str]]]:
    """The settings that annotate pods with proxies: their control plane, key and annotations. The injector checks none
    of these annotations: it does not inject gateways, and does not check the annotations that it adds itself."""
    for name, gateway in s.gateways.items():
        if gateway.enabled:
            key = f"{NAMESPACE}:gateways.{name}.podAnnotations"
            yield s.control_plane_of(gateway.revision), key, gateway.podAnnotations
    for mesh in s.installations.values():
        webhook = mesh.values.sidecarInjectorWebhook
        yield mesh, f"{path_of(s, mesh)}sidecarInjectorWebhook.injectedAnnotations", webhook.injectedAnnotations
