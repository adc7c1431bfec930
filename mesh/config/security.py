"""The security of a stack: its config within its settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.api import ApiError
from mesh.config.settings import Settings
from mesh.config.traffic import place
from mesh.security import access, mtls, tokens
from mesh.traffic import ingress
from mesh.traffic.place import Object, Place, clashes

KEY: Final = "security"


def objects(settings: Settings) -> list[Object]:
    """The objects that `mesh:security` becomes. Raises ApiError."""
    return [item for _, made in _parts(settings, place(settings)) for item in made]


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with `mesh:security` in this stack, one line for each problem."""
    if not settings.security:
        return
    if not settings.pilot.enabled:
        yield f"mesh:{KEY} is set, but the profile {settings.profile} has no istiod that serves it"
    found = []
    made: list[Object] = []
    for path, parts in _parts(settings, place(settings)):
        try:
            made += parts
        except ApiError as error:
            found += [f"mesh:{path}: {problem}" for problem in error.problems]
    yield from found or clashes(made)
    yield from _contradictions(settings)


def _parts(settings: Settings, where: Place) -> Iterator[tuple[str, Iterator[Object]]]:
    chosen = settings.security
    yield mtls.PATH, mtls.objects(chosen.mtls, where)
    closed = list(settings.injectedNamespaces)
    yield access.PATH, access.objects(chosen.authorization, where, closed, _ways_in(settings))
    if chosen.jwt:
        yield tokens.PATH, tokens.objects(chosen.jwt, where)


def _ways_in(settings: Settings) -> dict[str, list[str]] | None:
    """The gateways that lead to each of Bookinfo's services; None without Bookinfo."""
    if not settings.bookinfo:
        return None
    found = {service: set[str]() for service in access.CALLERS}
    if settings.bookinfo.gateway:
        found["productpage"].add(ingress.GATEWAY)
    for entry in settings.traffic.hosts.values():
        for receiver in (one for route in entry.routes for one in route.to):
            listed = settings.traffic.services.get(receiver.service)
            host = listed.called(receiver.service) if listed else receiver.service
            service, _, rest = host.partition(".")
            if service in found and (not rest or rest.split(".")[0] == settings.bookinfo.namespace):
                found[service].add(entry.gateway)
    return {service: sorted(gateways) for service, gateways in found.items()}


def _contradictions(settings: Settings) -> Iterator[str]:
    chosen = settings.security
    if chosen.mtls.mesh == "DISABLE" and (chosen.authorization.defaultDeny or chosen.authorization.allow):
        yield f"mesh:{access.PATH} tells callers by their mutual TLS, which mesh:{mtls.PATH} switches off"
    home = place(settings).namespace or ""
    for name, service in settings.traffic.services.items():
        mode = service.tls.mode if service.tls else None
        if mode == "DISABLE" and chosen.mtls.of(service.namespace or home) == "STRICT" and not chosen.mtls.workloads:
            yield f"mesh:traffic.services.{name}.tls: DISABLE contradicts mesh:{mtls.PATH}, which is STRICT there"
