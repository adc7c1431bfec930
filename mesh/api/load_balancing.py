"""Load balancing over the endpoints of a service: algorithm, consistent hashing, locality."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from mesh.api.model import Findings, Message, at_most_one, optional
from mesh.api.names import HeaderName
from mesh.api.scalars import AnyDuration, BoolValue, Text, UInt32, UInt64
from mesh.core.errors import show

__all__ = [
    "ConsistentHashLB",
    "Distribute",
    "Failover",
    "HTTPCookie",
    "LoadBalancerSettings",
    "LocalityLoadBalancerSetting",
]


class HTTPCookie(Message):
    """The cookie whose value is hashed; the proxy sets it if the request has none."""

    name: Text = Field(description="Name of the cookie.")
    path: str | None = optional("Path of the cookie.")
    ttl: AnyDuration = Field(description="Lifetime of the cookie, such as 1h; 0s makes it a session cookie.")


class ConsistentHashLB(Message):
    """Consistent hashing: session affinity by a header, a cookie, the source IP or a query parameter."""

    one_of: ClassVar = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")

    httpHeaderName: HeaderName | None = optional("Requests are alike by this header.")
    httpCookie: HTTPCookie | None = optional("Requests are alike by this cookie.")
    useSourceIp: bool | None = optional("Requests are alike by the client's address.")
    httpQueryParameterName: str | None = optional("Requests are alike by this parameter of the query.")
    minimumRingSize: UInt64 | None = optional(
        "Least number of places on the hash ring, 1024 if not set; more of them spread the load more evenly."
    )


class Distribute(Message):
    """The distribution of one locality's requests over localities."""

    from_: str | None = optional("Locality of the callers: region/zone/sub-zone, or an end of it as *.", wire="from")
    to: dict[str, UInt32] | None = optional("Percentage of the requests for each locality; they add up to 100.")

    def check(self) -> Findings:
        shares = self.to or {}
        for locality, share in shares.items():
            if share == 0:
                yield ("to", locality), "0 is not in 1..100"
        if sum(shares.values()) != 100:
            yield ("to",), f"the percentages must add up to 100, not {sum(shares.values())}"
        widest_first = sorted(shares, key=lambda locality: (not locality.endswith("*"), locality.count("/")))
        yield from _localities(widest_first, "to")  # Istio reads them in any order


class Failover(Message):
    """The region to which the requests of another fail over."""

    from_: str | None = optional("Region whose endpoints have failed.", wire="from")
    to: str | None = optional("Region that gets its requests.")

    def check(self) -> Findings:
        if self.from_ == self.to:
            yield (), "from and to must be different regions"
        for name, region in (("from", self.from_), ("to", self.to)):
            if region and ("*" in region or "/" in region):
                yield (name,), f"{show(region)}: name one region"


class LocalityLoadBalancerSetting(Message):
    """Locality load balancing. In a DestinationRule it replaces the mesh-wide setting as a whole."""

    distribute: list[Distribute] | None = optional("Fixed shares by locality; not together with failover.")
    failover: list[Failover] | None = optional(
        "Regions that help each other out; needs outlierDetection, by which failures are seen."
    )
    enabled: BoolValue | None = optional("Whether locality counts, whatever the mesh's own settings say.")

    def check(self) -> Findings:
        yield from at_most_one(self, "distribute", "failover")
        yield from _localities((entry.from_ or "" for entry in self.distribute or ()), "distribute")


class LoadBalancerSettings(Message):
    """The load balancing policy."""

    one_of: ClassVar = ("simple", "consistentHash")

    simple: Literal["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH"] | None = optional(
        "In turn (the default), the less busy of two, at random, or the address that the caller asked for."
    )
    consistentHash: ConsistentHashLB | None = optional("The same endpoint for requests that are alike.")
    localityLbSetting: LocalityLoadBalancerSetting | None = optional("Preference for endpoints that are near.")


def _localities(localities: Iterable[str], field: str) -> Findings:
    """Refuses localities that are malformed, or part of one before them: the first that matches is used."""
    seen: list[list[str]] = []
    for locality in localities:
        parts = locality.split("/", 2)
        if not all(parts):
            yield (field,), f"{show(locality)} is not region, region/zone or region/zone/sub-zone"
        elif "*" in locality.removesuffix("*"):
            yield (field,), f"{show(locality)}: * may stand at the end only"
        elif any(_overlap(other, parts) for other in seen):
            yield (field,), f"{show(locality)} overlaps with another locality"
        seen.append(parts)


def _overlap(first: list[str], second: list[str]) -> bool:
    """Whether the second of two localities, split at `/`, gets nothing behind the first, or takes in its zones. A `*`
    that comes second gets what is left."""
    for a, b in zip(first, second, strict=False):
        if a == "*":
            return True
        if a != b:
            return False
    return True
