"""Checks of the ProxyConfig in a stack's config: what Istio would refuse of it once its defaults are filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.config.settings import Settings
from mesh.proxy import proxyconfig
from mesh.proxy.annotations import InjectionError


def problems(s: Settings) -> Iterator[str]:
    """What Istio would refuse, one line each: in the MeshConfig, of which istiod then applies nothing, and in pods'
    annotations, with which their proxies do not start."""
    if s.pilot.configMap:
        yield from _of_mesh(s)
    yield from _of_annotations(s)
    yield from _behind_load_balancers(s)


def _of_mesh(s: Settings) -> Iterator[str]:
    release = s.installation.release
    config = proxyconfig.effective(release.proxy_config, release.mesh_config(s.installation), {})
    tracing = s.meshConfig.defaultConfig.tracing if s.meshConfig.defaultConfig else None
    for path, text in release.refused_proxy_config(config):
        key = f"mesh:meshConfig.defaultConfig.{'.'.join(map(str, path))}"
        if path[0] == "tracing" and not (tracing and tracing.is_set(str(path[1]))):
            key = f"mesh:global.proxy.tracer: {path[1]} is chosen, and {key}"
        yield f"{key}: {text}; istiod would refuse the whole mesh config and go on without it"


def _of_annotations(s: Settings) -> Iterator[str]:
    release = s.installation.release
    mesh = release.mesh_config(s.installation)
    for key, given in _annotated(s).items():
        if proxyconfig.ANNOTATION in given:
            for line in proxyconfig.problems(
                release.proxy_config, release.refused_proxy_config, mesh, given, injected=False
            ):
                yield f"mesh:{key}: {line}"


def _behind_load_balancers(s: Settings) -> Iterator[str]:
    """Hosts whose gateway redirects by the scheme that a load balancer says, and does not believe it: it would redirect
    for ever."""
    for name, entry in s.traffic.hosts.items():
        gateway = s.gateways.get(entry.gateway)
        redirects = entry.tls and entry.tls.before_gateway and entry.tls.redirect
        if gateway and redirects and not _trusted(s, gateway.podAnnotations):
            yield (
                f"mesh:traffic.hosts.{name}.tls: {entry.gateway} does not believe x-forwarded-proto, and would redirect"
                " for ever: set mesh:meshConfig.defaultConfig.gatewayTopology.numTrustedProxies to the number of load"
                " balancers before it (only they may reach it), or redirect to false"
            )


def _trusted(s: Settings, annotations: Mapping[str, str]) -> bool:
    """Whether a gateway with these annotations believes the proxies before it."""
    release = s.installation.release
    try:
        found = proxyconfig.effective(release.proxy_config, release.mesh_config(s.installation), annotations)
    except InjectionError:
        return True  # `_of_annotations` says what is wrong
    return bool((found.get("gatewayTopology") or {}).get("numTrustedProxies"))


def _annotated(s: Settings) -> Mapping[str, Mapping[str, str]]:
    """The settings that annotate pods with proxies, by key. None of them passes the injector's checks: gateways are not
    injected, and what the injector itself adds it does not check."""
    gateways = {
        f"gateways.{name}.podAnnotations": gateway.podAnnotations
        for name, gateway in s.gateways.items()
        if gateway.enabled
    }
    return {**gateways, "sidecarInjectorWebhook.injectedAnnotations": s.sidecarInjectorWebhook.injectedAnnotations}
