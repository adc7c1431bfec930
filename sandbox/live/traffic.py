"""Counts the requests between the live proxies, by what their Envoys have sent to each other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.live.plan import ADMIN_PORT, Plan
from sandbox.live.proxies import ask

Edge = tuple[str, str]
"""The keys of the calling and of the called proxy."""
_REQUESTS: Final = "rq_total"
_ERRORS: Final = "rq_error"
"""Envoy's names for the requests sent to a host, and for those that it answered with an error or not at all."""


@dataclass(frozen=True)
class Count:
    """A number of requests, and how many of them failed."""

    requests: int = 0
    errors: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.requests + other.requests, self.errors + other.errors)

    def __sub__(self, other: Count) -> Count:
        return Count(self.requests - other.requests, self.errors - other.errors)


def counts(plan: Plan) -> Mapping[Edge, Count]:
    """The requests between proxies since they started. Raises OSError or HTTPException if one does not answer."""
    names = {workload.address: workload.key for workload in plan.workloads}
    found: dict[Edge, Count] = {}
    for proxy in plan.proxies:
        told = json.loads(ask(proxy.address, ADMIN_PORT, "/clusters?format=json")[1])
        for address, count in sent(told):
            if address in names:
                edge = proxy.key, names[address]
                found[edge] = found.get(edge, Count()) + count
    return found


def sent(told: Mapping[str, Any]) -> Iterable[tuple[str, Count]]:
    """The addresses that an Envoy's calls went to, with their counts; an address may occur more than once."""
    for cluster in told.get("cluster_statuses", ()):
        if cluster["name"].startswith("outbound|"):
            for host in cluster.get("host_statuses", ()):
                stats = Counter({one["name"]: int(one.get("value", 0)) for one in host.get("stats", ())})
                address = host["address"].get("socket_address", {}).get("address", "")
                yield address, Count(stats[_REQUESTS], stats[_ERRORS])
