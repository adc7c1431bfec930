"""Requests between the live proxies are counted as their Envoys tell."""

from __future__ import annotations

from typing import Any

from sandbox.live.traffic import Count, sent


def host(address: str, **stats: int) -> dict[str, Any]:
    """A host of an Envoy's cluster, as `/clusters?format=json` tells it; a counter of zero has no value there."""
    counters = [{"name": name, **({"value": str(value)} if value else {})} for name, value in stats.items()]
    return {"address": {"socket_address": {"address": address, "port_value": 9080}}, "stats": counters}


def test_calls_to_other_services_are_counted_by_address() -> None:
    told = {
        "cluster_statuses": [
            {"name": "outbound|9080|v1|reviews", "host_statuses": [host("127.0.0.2", rq_total=7, rq_error=2)]},
            {"name": "outbound|9080||reviews", "host_statuses": [host("127.0.0.2", rq_total=3, rq_error=0)]},
            {"name": "inbound|9080||", "host_statuses": [host("127.0.0.3", rq_total=9)]},
            {"name": "outbound|80||empty"},
        ]
    }
    assert list(sent(told)) == [("127.0.0.2", Count(7, 2)), ("127.0.0.2", Count(3, 0))]
