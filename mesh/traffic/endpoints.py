"""Settings that choose a service's endpoints: circuit breakers and session affinity."""

from __future__ import annotations

from mesh import api
from mesh.api.names import HeaderName
from mesh.api.scalars import AnyDuration
from mesh.api.scalars import Text as NotEmpty
from mesh.core.typed import Documented, Findings


class CircuitBreaker(Documented):
    """Circuit breaker: limits of connections and requests, and ejection of endpoints that fail."""

    connectionPool: api.ConnectionPoolSettings | None = None
    """Limits of connections and requests to the service, with the fields of Istio's ConnectionPoolSettings."""
    outlierDetection: api.OutlierDetection | None = None
    """When an endpoint that fails is ejected from load balancing, with the fields of Istio's OutlierDetection."""

    def check(self) -> Findings:
        if not self.connectionPool and not self.outlierDetection:
            yield (), "needs connectionPool, outlierDetection or both"


class SessionAffinity(Documented):
    """Consistent hashing: requests with the same key go to the same endpoint. Exactly one field is set, or `cookie`
    with `ttl`."""

    cookie: NotEmpty | None = None
    """Name of the cookie whose value is the key; the proxy sets it if it is missing."""
    ttl: AnyDuration = "0s"
    """Lifetime of a cookie that the proxy sets, such as `1h`; `0s` makes it a session cookie."""
    header: HeaderName | None = None
    """Name of the request header whose value is the key."""
    queryParam: NotEmpty | None = None
    """Name of the query parameter whose value is the key."""
    sourceAddress: bool = False
    """Whether the client's IP address is the key."""

    def check(self) -> Findings:
        if sum(map(bool, (self.cookie, self.header, self.queryParam, self.sourceAddress))) != 1:
            yield (), "needs exactly one of cookie, header, queryParam, sourceAddress"
        if "ttl" in self.model_fields_set and not self.cookie:
            yield ("ttl",), "is for a cookie"

    def consistent_hash(self) -> api.ConsistentHashLB:
        """The setting in Istio's API."""
        return api.ConsistentHashLB(
            httpCookie=api.HTTPCookie(name=self.cookie, ttl=self.ttl) if self.cookie else None,
            httpHeaderName=self.header,
            httpQueryParameterName=self.queryParam,
            useSourceIp=self.sourceAddress or None,
        )
