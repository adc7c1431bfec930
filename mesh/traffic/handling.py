"""What is done with the requests of a route on their way: limits of time, retries, faults, copies, rewriting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Interval
from pydantic import BeforeValidator

from mesh import api
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
    """A fault that is played to see how clients bear it."""

    delay: Duration | None = None
    """How long requests are held back, such as `7s`."""
    abort: Annotated[int, Interval(ge=200, le=599)] | None = None
    """Status with which requests are answered in place of being passed on, 200 to 599."""
    percent: Share = 100.0
    """Percentage of the requests, for `delay` and `abort` each."""

    def check(self) -> Findings:
        if self.delay is None and self.abort is None:
            yield (), "needs delay, abort or both"

    def injection(self) -> api.HTTPFaultInjection:
        """As Istio has it."""
        share = api.Percent(value=self.percent)
        return api.HTTPFaultInjection(
            delay=api.Delay(fixedDelay=self.delay, percentage=share) if self.delay else None,
            abort=api.Abort(httpStatus=self.abort, percentage=share) if self.abort else None,
        )


class Mirror(ShortForm):
    """Who gets copies of requests; the answers are dropped."""

    short_forms = "a version"

    service: SomeHost | None = None
    """The service; this very one if not set."""
    version: Label | None = None
    """One of its versions."""
    percent: Share | None = None
    """Percentage of the requests that are copied; all if not set."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"version": value} if isinstance(value, str) else value

    def check(self) -> Findings:
        if self.service is None and self.version is None:
            yield (), "needs service, version or both"


class Handling(Documented):
    """What is done with requests on their way."""

    timeout: Duration | None = None
    """How long a request may take in all, such as `3s`; no limit if not set."""
    retries: Annotated[api.HTTPRetry | None, BeforeValidator(_attempts)] = None
    """How often a failed request is tried again: a number, or a map in Istio's words."""
    fault: Fault | None = None
    """A fault that is played. It switches the route's timeout and retries off, in Istio 1.10."""
    mirror: Mirror | None = None
    """Who gets copies of the requests."""
    rewrite: Annotated[api.HTTPRewrite | None, BeforeValidator(_uri)] = None
    """New path (text), or a map in Istio's words; where the match was one of a prefix, the prefix is replaced."""
    headers: api.Headers | None = None
    """Changes to headers of requests and responses, in Istio's words."""
    cors: api.CorsPolicy | None = None
    """Which pages of other origins may call from a browser, in Istio's words."""

    @property
    def acts(self) -> bool:
        """Whether anything is done at all."""
        return any(getattr(self, name) is not None for name in Handling.model_fields)

    def over(self, wider: Handling) -> Handling:
        """This one, with what it leaves unsaid as the wider one says; null says "nothing of this"."""
        source = {name: self if name in self.model_fields_set else wider for name in Handling.model_fields}
        return Handling.model_construct(**{name: getattr(source[name], name) for name in source})

    def fields(self, receiver: Callable[[str | None, str | None], api.Destination]) -> dict[str, Any]:
        """Fields of an HTTPRoute. `receiver` makes the destination for a service and a version."""
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

    def sources(self) -> dict[str, str]:
        """Parts of the HTTPRoute, and the field that each is made from, of those that are set."""
        parts = {name: name for name in (*Handling.model_fields, "match", "route")}
        parts |= {"corsPolicy": "cors", "mirrorPercentage": "mirror"}
        return {part: name for part, name in parts.items() if name in self.model_fields_set}


Weights = dict[Label, Percentage]


def one_or_weights(value: Any) -> Any:
    """A version alone gets everything."""
    return {value: 100} if isinstance(value, str) else value


def whole(weights: Weights, path: str) -> Findings:
    """Refuses weights that do not add up to 100."""
    if sum(weights.values()) != 100:
        yield (path,), f"the weights must add up to 100, not {sum(weights.values())}"
