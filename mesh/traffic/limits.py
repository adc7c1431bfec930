"""How many requests are let through."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from annotated_types import Interval

from mesh.api.names import HeaderName
from mesh.core.kubernetes import Name, Resources
from mesh.core.typed import Documented, Findings, ShortForm

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
"""How long each unit is."""
Count = Annotated[int, Interval(ge=1, le=2**32 - 1)]


class Client(ShortForm):
    """By what clients are told apart that are counted one by one: exactly one field."""

    short_forms = "address"

    address: bool = False
    """Their address, as the proxy trusts it."""
    header: HeaderName | None = None
    """A header; requests without it are not counted."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"address": True} if value == "address" else value

    def check(self) -> Findings:
        if self.address == bool(self.header):
            yield (), "needs exactly one of address, header"


class Limit(Documented):
    """A limit of requests; those beyond it are answered with status 429."""

    requests: Count
    """How many."""
    per: Literal["second", "minute", "hour", "day"] = "second"
    """In which time."""
    scope: Literal["local", "global"] = "local"
    """`local`: counted by each proxy for itself. `global`: counted for all proxies together, by the rate-limit
    service, which the stack then has."""
    burst: Count | None = None
    """How many at once, at most, with scope `local`; as `requests` if not set."""
    by: Client | None = None
    """Count each client for itself, with scope `global`; all together if not set."""

    def check(self) -> Findings:
        if self.scope == "global" and self.burst is not None:
            yield ("burst",), "is for scope local; the rate-limit service counts whole seconds, minutes, hours and days"
        if self.scope == "local" and self.by:
            yield ("by",), "is for scope global; a proxy by itself does not tell clients apart"
        if self.burst is not None and self.burst < self.requests:
            yield ("burst",), f"{self.burst} at once is less than the {self.requests} requests of the limit"

    @property
    def shared(self) -> bool:
        """Whether the rate-limit service counts."""
        return self.scope == "global"


class RateLimit(Documented):
    """The rate-limit service, which a stack has where a limit is global: Envoy's own, and Redis for its counters."""

    namespace: Name | None = None
    """Where both run, without sidecars; Istio's own namespace if not set, else one of `namespaces`."""
    whenUnreachable: Literal["allow", "deny"] = "allow"
    """What becomes of requests that it cannot be asked about."""
    image: str | None = None
    """Full reference of the service's image; that of the release if not set."""
    redisImage: str | None = None
    """Full reference of Redis' image; that of the release if not set."""
    resources: Resources = Resources(
        requests={"cpu": "20m", "memory": "64Mi"}, limits={"cpu": "500m", "memory": "128Mi"}
    )
    """Requests and limits of each of the two."""
