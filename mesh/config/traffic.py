"""The traffic of a stack: its config within its settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.config.settings import Settings
from mesh.core.names import ROOT
from mesh.traffic import config, ingress, limiting
from mesh.traffic.place import Edge, Object, Place, clashes


def place(settings: Settings) -> Place:
    """What the objects have to know of the stack."""
    injected = list(settings.injectedNamespaces)
    only = injected[0] if len(injected) == 1 else None
    edges = {
        name: Edge(
            name=name,
            namespace=spec.namespace or ROOT,
            selector=spec.selector(name),
            ports=frozenset(port.port for port in spec.ports),
            account=spec.account(name),
        )
        for name, spec in settings.gateways.items()
        if spec.enabled
    }
    return Place(
        namespace=settings.bookinfo.namespace if settings.bookinfo else only,
        namespaces=frozenset([ROOT, *settings.ownership]),
        gateways=edges,
        root=ROOT,
        domain=settings.global_.proxy.clusterDomain,
        trust_domain=settings.meshConfig.trustDomain or "cluster.local",
        client_tls=settings.security.mtls.mesh == "STRICT" and settings.meshConfig.enableAutoMtls is False,
        limiter=settings.rateLimit.namespace or ROOT,
        limiter_needed=settings.rateLimit.whenUnreachable == "deny",
    )


def objects(settings: Settings) -> list[Object]:
    """The objects that `mesh:traffic` becomes."""
    return config.objects(settings.traffic, place(settings))


def descriptors(settings: Settings) -> list[dict[str, Any]]:
    """The global limits, in the words of the rate-limit service; without any, there is no need for it."""
    return limiting.descriptors(settings.traffic.services, settings.traffic.hosts)


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with `mesh:traffic` in this stack, one line for each problem."""
    home = settings.rateLimit.namespace
    if home and home not in (ROOT, *settings.namespaces):
        known = ", ".join(settings.namespaces) or "none"
        yield f"mesh:rateLimit.namespace: {home} is not one of mesh:namespaces ({known}); it takes one without sidecars"
    if not settings.traffic:
        return
    if not settings.pilot.enabled:
        yield f"mesh:traffic is set, but the profile {settings.profile} has no istiod that serves it"
    where = place(settings)
    found = list(config.problems(settings.traffic, where))
    yield from found
    if not found:
        made = config.objects(settings.traffic, where)
        yield from clashes(made)
        yield from _beside_bookinfo(settings, made)


def _beside_bookinfo(settings: Settings, made: list[Object]) -> Iterator[str]:
    """What Bookinfo's own Gateway and VirtualService leave no room for."""
    if not (settings.bookinfo and settings.bookinfo.gateway):
        return
    way_out = "set mesh:bookinfo.gateway to false, or choose another"
    for item in made:
        if (item.body.kind, item.name, item.namespace) == ("VirtualService", "bookinfo", settings.bookinfo.namespace):
            yield f"mesh:{item.path}: Bookinfo has a VirtualService bookinfo itself; {way_out} name"
    for name, entry in settings.traffic.hosts.items():
        if (entry.gateway, entry.served) == (ingress.GATEWAY, ingress.HTTP) and "*" in entry.hosts:
            yield f'mesh:traffic.hosts.{name}: Bookinfo has all hosts ("*") of {entry.gateway} itself; {way_out} host'
