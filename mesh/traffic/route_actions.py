"""Settings of an HTTP route besides its destination: timeout, retries, faults, mirroring, rewriting, headers, CORS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Interval
from pydantic import BeforeValidator

from mesh import api
from mesh.api import http_text
from mesh.api.names import Label, SomeHost
from mesh.api.scalars import Double, Duration, Percentage
from mesh.core.typed import Documented, Findings, ShortForm

Share = Annotated[Double, Interval(ge=0, le=100)]
"""A percentage of requests."""


def _attempts(value: Any) -> Any:
    return {"attempts": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _uri(value: Any) -> Any:
    return {"uri": value} if isinstance(value, str) else value


class Fault(Documented):
    """Fault injection: delays or errors that test how clients cope with them."""

    delay: Duration | None = None
    """Delay before requests are forwarded, such as `7s`; none if not set."""
    abort: Annotated[int, Interval(ge=200, le=599)] | None = None
    """HTTP status code, 200 to 599, with which requests are answered instead of being forwarded; none if not set."""
    percent: Share = 100.0
    """Percentage of requests, 0 to 100, that `delay` and `abort` each apply to."""

    def check(self) -> Findings:
        if self.delay is None and self.abort is None:
            yield (), "needs delay, abort or both"

    def injection(self) -> api.HTTPFaultInjection:
        """The fault in Istio's API."""
        share = api.Percent(value=self.percent)
        return api.HTTPFaultInjection(
            delay=api.Delay(fixedDelay=self.delay, percentage=share) if self.delay else None,
            abort=api.Abort(httpStatus=self.abort, percentage=share) if self.abort else None,
        )


class Mirror(ShortForm):
    """Mirroring: copies of requests are sent to another destination, whose responses are discarded."""

    short_forms = "a version"

    service: SomeHost | None = None
    """Service that gets the copies; if not set, the service that the route belongs to. Required at a gateway."""
    version: Label | None = None
    """One of the service's versions; any if not set."""
    percent: Share | None = None
    """Percentage of requests, 0 to 100, that are copied; all if not set."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"version": value} if isinstance(value, str) else value

    def check(self) -> Findings:
        if self.service is None and self.version is None:
            yield (), "needs service, version or both"


class RouteActions(Documented):
    """Settings of an HTTP route besides its destination."""

    timeout: Duration | None = None
    """Time that a request may take, retries included, such as `3s`; no timeout if not set."""
    retries: Annotated[api.HTTPRetry | None, BeforeValidator(_attempts)] = None
    """Retry policy: the number of attempts, or a map with the fields of Istio's HTTPRetry; Istio retries twice if not
    set."""
    fault: Fault | None = None
    """Fault injection. In Istio 1.10 it disables the route's timeout and retries."""
    mirror: Mirror | None = None
    """Destination that gets copies of the requests; none if not set."""
    rewrite: Annotated[api.HTTPRewrite | None, BeforeValidator(_uri)] = None
    """New path, or a map with the fields of Istio's HTTPRewrite. Where the route matches a prefix of the path, only the
    prefix is replaced."""
    headers: api.Headers | None = None
    """Headers to set, add or remove in requests and responses, with the fields of Istio's Headers."""
    cors: api.CorsPolicy | None = None
    """CORS policy for calls from browsers, with the fields of Istio's CorsPolicy; none if not set."""

    def check(self) -> Findings:
        if self.rewrite:
            yield from targets("rewrite", self.rewrite.uri, self.rewrite.authority)
        for i, origin in enumerate((self.cors and self.cors.allowOrigins) or ()):
            if problem := http_text.origin(origin.exact or ""):
                yield ("cors", "allowOrigins", i), problem
        for direction in ("request", "response"):
            changes: api.HeaderOperations | None = getattr(self.headers, direction, None)
            for operation in ("set", "add", "remove") if changes else ():
                names = [name for name in getattr(changes, operation) or () if http_text.header(name)]
                for name in names:
                    yield ("headers", direction, operation, name), http_text.header(name)

    @property
    def any_action(self) -> bool:
        """Whether any of these fields is set."""
        return any(getattr(self, name) is not None for name in RouteActions.model_fields)

    def inherit(self, wider: RouteActions) -> RouteActions:
        """These actions, with fields that are not given taken from `wider`. A field that is given as null is not
        inherited."""
        source = {name: self if name in self.model_fields_set else wider for name in RouteActions.model_fields}
        return RouteActions.model_construct(**{name: getattr(source[name], name) for name in source})

    def route_fields(self, receiver: Callable[[str | None, str | None], api.Destination]) -> dict[str, Any]:
        """The fields of an HTTPRoute. `receiver` makes the mirror's destination from its service and version."""
        copies = self.mirror
        share = copies.percent if copies else None
        return {
            "timeout": self.timeout,
            "retries": self.retries,
            "fault": self.fault and self.fault.injection(),
            "mirror": receiver(copies.service, copies.version) if copies else None,
            "mirrorPercentage": None if share is None else api.Percent(value=share),
            "rewrite": self.rewrite,
            "headers": self.headers,
            "corsPolicy": self.cors,
        }

    def field_keys(self) -> dict[str, str]:
        """The config field that each field of the HTTPRoute is made from, for fields that are set."""
        parts = {name: name for name in (*RouteActions.model_fields, "match", "route")}
        parts |= {"corsPolicy": "cors", "mirrorPercentage": "mirror"}
        return {part: name for part, name in parts.items() if name in self.model_fields_set}


def targets(key: str, uri: str | None, authority: str | None) -> Findings:
    """Refuses paths and hosts to which no request can be rewritten or redirected."""
    if uri and (problem := http_text.target(uri)):
        yield (key, "uri"), problem
    if authority and (problem := http_text.authority(authority)):
        yield (key, "authority"), problem


Weights = dict[Label, Percentage]


def one_or_weights(value: Any) -> Any:
    """A version on its own gets all requests."""
    return {value: 100} if isinstance(value, str) else value


def check_weights(weights: Weights, path: str) -> Findings:
    """Refuses weights that do not add up to 100."""
    if sum(weights.values()) != 100:
        yield (path,), f"the weights must add up to 100, not {sum(weights.values())}"
