"""Load balancing over the endpoints of a service: algorithm, consistent hashing, locality."""

from collections.abc import Iterable
from math import isqrt
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge
from pydantic import Field

from mesh.api.enforced import Enforced
from mesh.api.model import Findings, Message, at_most_one, optional
from mesh.api.names import HeaderName
from mesh.api.scalars import AnyDuration, BoolValue, DoubleValue, Duration, PercentageValue, Text, UInt32, UInt64
from mesh.core.errors import show

__all__ = [
    "ConsistentHashLB",
    "CookieAttribute",
    "Distribute",
    "Failover",
    "HTTPCookie",
    "LoadBalancerSettings",
    "LocalityLoadBalancerSetting",
    "Maglev",
    "RingHash",
    "Warmup",
]


_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")
"""Labels with a workload's locality."""


class CookieAttribute(Message):
    """An attribute of a cookie that the proxy sets, such as SameSite."""

    name: Text = Field(description="Name of the attribute.")
    value: str | None = optional("Value of the attribute.")


class HTTPCookie(Message):
    """The cookie whose value is hashed; the proxy sets it if the request has none."""

    required: ClassVar = ("name",)

    name: Text = Field(description="Name of the cookie.")
    path: str | None = optional("Path of the cookie.")
    ttl: AnyDuration | None = optional("Lifetime of the cookie, such as 1h; 0s makes it a session cookie.")
    attributes: list[CookieAttribute] | None = optional("Further attributes of the cookie.")

    def check(self) -> Findings:
        names = [attribute.name for attribute in self.attributes or ()]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield ("attributes", i, "name"), f"{show(name)} is the name of another attribute, too"


class RingHash(Message):
    """Consistent hashing over a ring of places."""

    minimumRingSize: UInt64 | None = optional(
        "Least number of places on the ring, 1024 if not set; more of them spread the load more evenly."
    )


class Maglev(Message):
    """Consistent hashing by Maglev's table."""

    tableSize: UInt64 | None = optional("Number of places in the table, a prime below 5000011; required.")

    def check(self) -> Findings:
        size = self.tableSize or 0
        if not (size < 5000011 and _is_prime(size)):
            yield ("tableSize",), f"{size} is not a prime number below 5000011"


class ConsistentHashLB(Message):
    """Consistent hashing: session affinity by a header, a cookie, the source IP or a query parameter."""

    one_of: ClassVar = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")
    also_one_of: ClassVar = ("ringHash", "maglev")

    httpHeaderName: HeaderName | None = optional("Requests are alike by this header.")
    httpCookie: HTTPCookie | None = optional("Requests are alike by this cookie.")
    useSourceIp: bool | None = optional("Requests are alike by the client's address.")
    httpQueryParameterName: str | None = optional("Requests are alike by this parameter of the query.")
    minimumRingSize: UInt64 | None = optional(
        "Least number of places on the hash ring, 1024 if not set; more of them spread the load more evenly."
    )
    ringHash: RingHash | None = optional("Hash over a ring, the default; not together with minimumRingSize.")
    maglev: Maglev | None = optional("Hash by Maglev's table; not together with minimumRingSize.")

    def check(self) -> Findings:
        for name in self.also_one_of:
            if self.minimumRingSize and self.is_set(name):
                yield (name,), "cannot be set together with minimumRingSize"


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
        if (self.from_ or "") == (self.to or ""):
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
    failoverPriority: list[str] | None = optional(
        "Labels, by importance, that endpoints are to share with the caller: those that share more of them come first."
    )
    enabled: BoolValue | None = optional("Whether locality counts, whatever the mesh's own settings say.")

    def check(self) -> Findings:
        yield from at_most_one(self, "distribute", "failover")
        yield from at_most_one(self, "distribute", "failoverPriority")
        for i, label in enumerate(self.failoverPriority or () if self.failover else ()):
            if label in _TOPOLOGY:
                yield ("failoverPriority", i), f"{label} cannot be set together with failover, which chooses by region"
        yield from _localities((entry.from_ or "" for entry in self.distribute or ()), "distribute")


class Warmup(Message):
    """The time in which the load of a new endpoint grows to its full share."""

    duration: Duration = Field(description="How long an endpoint counts as new.")
    minimumPercent: PercentageValue | None = optional("Percentage of its share with which it begins; 10 if not set.")
    aggression: Annotated[DoubleValue, Enforced(minimum=0), Ge(1)] | None = optional(
        "How fast the load grows at first: 1, the default, is in proportion to time, more is faster."
    )


class LoadBalancerSettings(Message):
    """The load balancing policy."""

    one_of: ClassVar = ("simple", "consistentHash")

    simple: (
        Annotated[
            Literal["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "LEAST_REQUEST", "UNSPECIFIED"],
            Enforced(enum=("UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST")),
        ]
        | None
    ) = optional("In turn (the default), the less busy of two, at random, or the address that the caller asked for.")
    consistentHash: ConsistentHashLB | None = optional("The same endpoint for requests that are alike.")
    localityLbSetting: LocalityLoadBalancerSetting | None = optional("Preference for endpoints that are near.")
    warmupDurationSecs: Duration | None = optional("Deprecated, see warmup.")
    warmup: Warmup | None = optional("Less load for endpoints that are new.")


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, isqrt(number) + 1))


def _localities(localities: Iterable[str], field: str) -> Findings:
    """Refuses localities that are malformed, or part of an earlier one: Istio uses the first that matches."""
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
    """Whether the second of two localities, split at `/`, gets nothing because of the first, or includes its zones. A
    `*` that comes second gets the rest."""
    for a, b in zip(first, second, strict=False):
        if a == "*":
            return True
        if a != b:
            return False
    return True
