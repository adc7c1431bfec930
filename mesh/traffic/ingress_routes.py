"""Routes of `mesh:traffic.hosts`: where a gateway sends the requests to a host, and what it does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from mesh import api
from mesh.api import http_text
from mesh.api.names import Label, SomeHost
from mesh.api.scalars import Percentage
from mesh.core.kubernetes import PortNumber
from mesh.core.typed import Findings, ShortForm
from mesh.traffic.matching import Matches, as_list
from mesh.traffic.rate_limits import Limit
from mesh.traffic.route_actions import RouteActions, targets

Resolve = Callable[[str, str], str]
"""Converts a service (its name in `mesh:traffic.services`, or a host) and the namespace of the object that refers to it
into the host to write there."""

_FOR_FORWARDED: Final = ("timeout", "retries", "mirror", "cors")
"""Fields of a route that the proxy only applies to requests that it forwards."""


class WeightedDestination(ShortForm):
    """A destination of a route's requests."""

    short_forms = "a service"

    service: SomeHost
    """Name of a service in `services`, or any host of the mesh."""
    version: Label | None = None
    """One of the service's versions, or a subset of a DestinationRule of your own; any if not set."""
    port: PortNumber | None = None
    """The service's port; needed only if it has several."""
    weight: Percentage | None = None
    """Percentage of requests, where a route has several destinations; all weights add up to 100."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"service": value} if isinstance(value, str) else value

    def destination(self, resolve: Resolve, namespace: str) -> api.Destination:
        """The destination in Istio's API, for an object in `namespace`."""
        port = api.PortSelector(number=self.port) if self.port else None
        return api.Destination(host=resolve(self.service, namespace), subset=self.version, port=port)


class IngressRoute(RouteActions):
    """A route for requests to a host: either to services, or a redirect."""

    match: Matches = []
    """One match or a list of matches, any of which must hold; every request if not set."""
    to: Annotated[list[WeightedDestination], BeforeValidator(as_list)] = []
    """Destination: one service, or several with weights that add up to 100."""
    redirect: api.HTTPRedirect | None = None
    """Redirect instead of `to`, with the fields of Istio's HTTPRedirect."""
    limit: Limit | None = None
    """Rate limit of the route; none if not set. With scope `local`, each pod of the gateway counts by itself, and each
    match of `match` separately."""

    def check(self) -> Findings:
        yield from super().check()
        if bool(self.to) == bool(self.redirect):
            yield (), "needs to or redirect, and not both"
        if len(self.to) > 1 and sum(one.weight or 0 for one in self.to) != 100:
            yield ("to",), f"the weights must add up to 100, not {sum(one.weight or 0 for one in self.to)}"
        if len(self.to) == 1 and self.to[0].weight not in (None, 100):
            yield ("to",), f"the weights must add up to 100, not {self.to[0].weight}"
        for name in _FOR_FORWARDED if self.redirect else ():
            if getattr(self, name) is not None:
                yield (name,), "does nothing with redirect, which the gateway answers by itself: leave it out"
        if self.limit and self.limit.by and (self.limit.by.header or "").lower() in _sent_headers(self.headers):
            text = "is set by headers.request of this route, after the limit has counted: choose one that clients send"
            yield ("limit", "by", "header"), text
        if self.redirect:
            yield from targets("redirect", self.redirect.uri, self.redirect.authority)
            if self.redirect.redirectCode not in (None, *http_text.REDIRECT_CODES):
                yield ("redirect", "redirectCode"), f"must be one of {', '.join(map(str, http_text.REDIRECT_CODES))}"
        if self.redirect and self.limit and self.limit.shared:
            yield ("limit", "scope"), "cannot be global for a redirect, which the gateway answers by itself"
        if self.mirror and not self.mirror.service:
            yield ("mirror", "service"), "is required"
        for i, match in enumerate(self.match):
            for name in ("sourceLabels", "sourceNamespace"):
                if getattr(match, name):
                    yield ("match", i, name), "is not possible at a gateway, whose callers are outside the mesh"
            if match.destinationSubnets:
                yield (
                    ("match", i, "destinationSubnets"),
                    "is not possible at a gateway, where all clients connect to the gateway's address",
                )


def _sent_headers(headers: api.Headers | None) -> set[str]:
    """The names of the request headers that a route sets or adds, in lower case."""
    request = headers.request if headers else None
    return {name.lower() for part in (request.set, request.add) if part for name in part} if request else set()
