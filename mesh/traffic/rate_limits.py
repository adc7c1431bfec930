"""Rate limits of requests, and the rate-limit service that counts global ones."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from annotated_types import Interval

from mesh.api.names import HeaderName
from mesh.core.kubernetes import Name, Resources
from mesh.core.typed import Documented, Findings, ShortForm

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
"""Length of each unit of time, in seconds."""
Count = Annotated[int, Interval(ge=1, le=2**32 - 1)]


class Client(ShortForm):
    """What identifies a client that is counted separately: exactly one field."""

    short_forms = "address"

    address: bool = False
    """Whether clients are identified by their IP address, as the proxy trusts it."""
    header: HeaderName | None = None
    """Name of a request header whose value identifies the client; requests without it are not counted."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"address": True} if value == "address" else value

    def check(self) -> Findings:
        if self.address == bool(self.header):
            yield (), "needs exactly one of address, header"


class Limit(Documented):
    """A rate limit. Requests beyond it are answered with status 429."""

    requests: Count
    """Number of requests that are allowed in the unit of time `per`."""
    per: Literal["second", "minute", "hour", "day"] = "second"
    """Unit of time."""
    scope: Literal["local", "global"] = "local"
    """`local`: each proxy counts by itself. `global`: the rate-limit service counts for all proxies together; the stack
    then installs it."""
    burst: Count | None = None
    """Size of the token bucket: the most requests that are allowed at once, only with scope `local`; `requests` if not
    set."""
    by: Client | None = None
    """Counts each client separately, only with scope `global`; if not set, all clients are counted together."""

    def check(self) -> Findings:
        if self.scope == "global" and self.burst is not None:
            yield ("burst",), "is for scope local; the rate-limit service counts whole seconds, minutes, hours and days"
        if self.scope == "local" and self.by:
            yield ("by",), "is for scope global; a local limit counts all clients together"
        if self.burst is not None and self.burst < self.requests:
            yield ("burst",), f"{self.burst} at once is less than the {self.requests} requests of the limit"

    @property
    def shared(self) -> bool:
        """Whether the rate-limit service counts the requests."""
        return self.scope == "global"


class RateLimit(Documented):
    """Envoy's rate-limit service, with Redis for its counters. A stack installs it if a limit has scope `global`."""

    namespace: Name | None = None
    """Namespace of the service and of Redis, one of `mesh:namespaces`, so that they run without sidecars;
    Istio's if not set."""
    whenUnreachable: Literal["allow", "deny"] = "allow"
    """What happens to requests while the service does not answer: they pass, or get status 500."""
    image: str | None = None
    """Full reference of the service's image; the release's default if not set."""
    redisImage: str | None = None
    """Full reference of Redis' image; the release's default if not set."""
    resources: Resources = Resources(
        requests={"cpu": "20m", "memory": "64Mi"}, limits={"cpu": "500m", "memory": "128Mi"}
    )
    """Resource requests and limits of each of the two containers."""
