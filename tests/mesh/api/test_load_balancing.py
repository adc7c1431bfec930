"""Load balancing: consistent hashing and locality settings."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems


@pytest.mark.parametrize(
    ("message", "fields", "line"),
    [
        (
            api.LoadBalancerSettings,
            {"simple": "RANDOM", "consistentHash": {"useSourceIp": True}},
            ": only one of simple, consistentHash may be set, got simple and consistentHash",
        ),
        (
            api.LoadBalancerSettings,
            {"simple": "FIRST"},
            ' simple: "FIRST" is not one of ROUND_ROBIN, LEAST_CONN, RANDOM, PASSTHROUGH, LEAST_REQUEST, UNSPECIFIED',
        ),
        (
            api.ConsistentHashLB,
            {"httpHeaderName": "a", "useSourceIp": False},
            ": only one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName may be set, "
            "got httpHeaderName and useSourceIp",
        ),
        (
            api.ConsistentHashLB,
            {"maglev": {"tableSize": 65536}},
            " maglev.tableSize: 65536 is not a prime number below 5000011",
        ),
        (
            api.ConsistentHashLB,
            {"minimumRingSize": 5, "ringHash": {}},
            " ringHash: cannot be set together with minimumRingSize",
        ),
        (
            api.ConsistentHashLB,
            {"ringHash": {}, "maglev": {"tableSize": 7}},
            ": only one of ringHash, maglev may be set, got ringHash and maglev",
        ),
        (api.ConsistentHashLB, {"httpCookie": {"name": "", "ttl": "0s"}}, " httpCookie.name: must not be empty"),
        (api.ConsistentHashLB, {"minimumRingSize": -1}, " minimumRingSize: -1 is not in 0..9223372036854775807"),
        (api.Distribute, {"from": "a", "to": {"b": 50}}, " to: the percentages must add up to 100, not 50"),
        (api.Distribute, {"from": "a", "to": {"b": 100, "c": 0}}, " to.c: 0 is not in 1..100"),
        (api.Distribute, {"from": "a", "to": {"b/*": 50, "b/c": 50}}, ' to: "b/c" overlaps with another locality'),
        (api.Distribute, {"to": {"b//c": 100}}, ' to: "b//c" is not region, region/zone or region/zone/sub-zone'),
        (api.Distribute, {"to": {"*/b": 100}}, ' to: "*/b": * may stand at the end only'),
        (api.Distribute, {"from": "a"}, " to: the percentages must add up to 100, not 0"),
        (api.Failover, {"from": "a", "to": "a"}, ": from and to must be different regions"),
        (api.Failover, {"from": "a", "to": "b/c"}, ' to: "b/c": name one region'),
        (api.Failover, {"from": "a", "to": "*"}, ' to: "*": name one region'),
        (
            api.LocalityLoadBalancerSetting,
            {"distribute": [{"from": "a", "to": {"b": 100}}], "failover": [{"from": "a", "to": "b"}]},
            ": only one of distribute, failover may be set, got distribute and failover",
        ),
        (api.Failover, {"from": ""}, ": from and to must be different regions"),
        (
            api.LocalityLoadBalancerSetting,
            {"failover": [{"from": "a"}], "failoverPriority": ["app", "topology.kubernetes.io/zone"]},
            " failoverPriority[1]: topology.kubernetes.io/zone cannot be set together with failover, which chooses by"
            " region",
        ),
        (
            api.LocalityLoadBalancerSetting,
            {"distribute": [{"to": {"c": 100}}]},
            ' distribute: "" is not region, region/zone or region/zone/sub-zone',
        ),
        (
            api.LocalityLoadBalancerSetting,
            {"distribute": [{"from": "a/b", "to": {"c": 100}}, {"from": "a", "to": {"c": 100}}]},
            ' distribute: "a" overlaps with another locality',
        ),
    ],
)
def test_invalid_load_balancing_is_refused_with_its_path(
    message: type[api.Message], fields: dict[str, Any], line: str
) -> None:
    assert problems(message, fields) == [f"{message.__name__}{line}"]


def test_localities_of_one_region_do_not_overlap_if_their_zones_differ() -> None:
    api.Distribute(from_="us/east/*", to={"us/east/1": 40, "us/east/2": 40, "us/west": 20})
    api.Distribute(from_="us/*", to={"*": 100})


def test_a_region_may_fail_over_to_any_other_region() -> None:
    anywhere = api.Failover(from_="us")
    assert api.LocalityLoadBalancerSetting(failover=[anywhere]).failover == [anywhere]
