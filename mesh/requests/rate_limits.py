"""The rate limits that EnvoyFilters set: token buckets in the proxies of pods, and on routes of gateways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules.envoy_filters import patched
from mesh.analysis.workloads import Workload
from mesh.api.scalars import nanoseconds
from mesh.core import kinds

_CONTEXTS: Final = {"SIDECAR_INBOUND": False, "GATEWAY": True}
"""The contexts of patches that count incoming requests, each with whether it is for gateways."""
_OF_SERVICE: Final = re.compile(r"\brate_limits\b|filters\.http\.ratelimit\b")
"""Pattern of patches that use a rate-limit service."""
_ALWAYS: Final = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}
"""The numerator that means all requests, by the denominator of a fraction."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A token bucket. Each proxy has its own."""

    owner: str
    """The object that sets it, such as `EnvoyFilter shop/cart-limit`."""
    most: int
    """The most requests at once."""
    fill: int
    """The number of tokens that each interval adds."""
    interval: float
    """The interval in seconds."""
    route: str = ""
    """The name of the route whose requests it counts; empty for all requests to a proxy."""

    @property
    def rate(self) -> float:
        """Requests per second in the long run."""
        return self.fill / self.interval

    @property
    def refill(self) -> float:
        """Seconds until an empty bucket is full."""
        return self.most / self.rate

    def __str__(self) -> str:
        """The limit as text, such as `10 in 1 s` or `10 in 60 s, 20 at once`."""
        return f"{self.fill} in {self.interval:g} s{f', {self.most} at once' if self.most != self.fill else ''}"


class RateLimits:
    """The limits of a mesh's pods and of its gateways' routes."""

    def __init__(self, mesh: Mesh) -> None:
        self._of: dict[tuple[Workload, str], list[Limit]] = {}
        self.others = False
        """Whether there are other limits: by a rate-limit service, or for a part of the requests."""
        for envoy_filter in mesh.of(kinds.ENVOY_FILTER):
            found = list(_limits(envoy_filter))
            counted = sum("token_bucket" in str(one) for one in envoy_filter.items("configPatches"))
            self.others |= counted > len(found) or bool(_OF_SERVICE.search(str(envoy_filter.spec)))
            for pod in patched(mesh, envoy_filter) if found else ():
                for gateway, limit in found:
                    if gateway == pod.gateway:
                        self._of.setdefault((pod, limit.route), []).append(limit)

    def of(self, pod: Workload, route: str = "") -> list[Limit]:
        """The limits for all requests to a pod, and those of a gateway's route with this name."""
        return [*self._of.get((pod, ""), ()), *(self._of.get((pod, route), ()) if route else ())]


def _limits(envoy_filter: Object) -> Iterator[tuple[bool, Limit]]:
    """The limits of an EnvoyFilter, each with whether it applies to gateways."""
    for one in envoy_filter.items("configPatches"):
        match, value = one.get("match") or {}, (one.get("patch") or {}).get("value") or {}
        gateway = _CONTEXTS.get(match.get("context", ""))
        if gateway is None:
            continue
        route, found = "", [value.get("typed_config")]
        if one.get("applyTo") == "HTTP_ROUTE":
            vhost = (match.get("routeConfiguration") or {}).get("vhost") or {}
            route = (vhost.get("route") or {}).get("name") or ""
            found = list((value.get("typed_per_filter_config") or {}).values()) if route else []
        for limit in filter(None, (_bucket(str(envoy_filter.ref), route, config or {}) for config in found)):
            yield gateway, limit


def _bucket(owner: str, route: str, config: Mapping[str, Any]) -> Limit | None:
    """The limit in a filter's configuration; None if there is none, or if it does not count all requests."""
    config = config.get("value") or config  # of a TypedStruct
    bucket = config.get("token_bucket") or {}
    if not (bucket.get("max_tokens") and bucket.get("fill_interval")):
        return None
    if not all(map(_for_all, (config.get("filter_enabled"), config.get("filter_enforced")))):
        return None
    seconds = nanoseconds(str(bucket["fill_interval"])) / 1e9
    fill = bucket.get("tokens_per_fill") or 1
    return Limit(owner=owner, most=bucket["max_tokens"], fill=fill, interval=seconds, route=route)


def _for_all(fraction: Mapping[str, Any] | None) -> bool:
    """Whether a RuntimeFractionalPercent covers all requests. Without one, Envoy limits none."""
    share = (fraction or {}).get("default_value") or {}
    return bool(share) and share.get("numerator") == _ALWAYS.get(share.get("denominator", "HUNDRED"))
