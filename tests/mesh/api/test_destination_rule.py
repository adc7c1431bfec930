"""DestinationRule: subsets, limits and TLS."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, " host: is required"),
        (
            {"host": "a", "trafficPolicy": {}},
            " trafficPolicy: needs one of loadBalancer, connectionPool, outlierDetection, tls, portLevelSettings,"
            " tunnel, proxyProtocol, retryBudget",
        ),
        (
            {"host": "a", "trafficPolicy": {"portLevelSettings": [{"port": {"number": 1}}]}},
            " trafficPolicy.portLevelSettings[0]: needs loadBalancer, connectionPool, outlierDetection or tls",
        ),
        (
            {"host": "a", "trafficPolicy": {"portLevelSettings": [{"tls": {}}]}},
            " trafficPolicy.portLevelSettings[0].port: is required",
        ),
        (
            {"host": "a", "trafficPolicy": {"connectionPool": {}}},
            " trafficPolicy.connectionPool: needs tcp, http or both",
        ),
        (
            {"host": "a", "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": -1}}}},
            " trafficPolicy.connectionPool.tcp.maxConnections: -1 is not in 0..2147483647",
        ),
        (
            {
                "host": "a",
                "trafficPolicy": {
                    "connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}}
                },
            },
            " trafficPolicy.connectionPool.http.useClientProtocol: cannot be true together with h2UpgradePolicy"
            " UPGRADE",
        ),
        (
            {"host": "a", "trafficPolicy": {"outlierDetection": {"maxEjectionPercent": 101}}},
            " trafficPolicy.outlierDetection.maxEjectionPercent: 101 is not in 0..100",
        ),
        (
            {"host": "a", "trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 5.5}}},
            " trafficPolicy.outlierDetection.consecutive5xxErrors: expected a whole number, got 5.5",
        ),
        (
            {"host": "a", "trafficPolicy": {"tls": {"mode": "MUTUAL", "clientCertificate": "a"}}},
            " trafficPolicy.tls.privateKey: is required in mode MUTUAL without credentialName",
        ),
        (
            {"host": "a", "trafficPolicy": {"tls": {"mode": "SIMPLE", "credentialName": "a", "caCertificates": "b"}}},
            " trafficPolicy.tls.caCertificates: cannot be set together with credentialName",
        ),
        ({"host": "a", "subsets": [{}]}, " subsets[0].name: is required"),
        (
            {"host": "a", "subsets": [{"name": "v1"}, {"name": "v1"}]},
            ' subsets[1].name: "v1" is the name of another subset, too',
        ),
        (
            {"host": "a", "subsets": [{"name": "v1", "labels": {"a": "*"}}]},
            ' subsets[0].labels: "*", of "a", is not the value of a label',
        ),
        (
            {"host": "a", "trafficPolicy": {"connectionPool": {"tcp": {"tcpKeepalive": {"interval": "0s"}}}}},
            ' trafficPolicy.connectionPool.tcp.tcpKeepalive.interval: "0s" is not a whole number of milliseconds, '
            "1ms or more",
        ),
        (
            {"host": "a", "subsets": [{"name": "v1", "trafficPolicy": {}}]},
            " subsets[0].trafficPolicy: needs one of loadBalancer, connectionPool, outlierDetection, tls, "
            "portLevelSettings, tunnel, proxyProtocol, retryBudget",
        ),
    ],
)
def test_an_invalid_destination_rule_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.DestinationRule, fields) == [f"DestinationRule{line}"]


def test_a_destination_rule_with_limits_and_tls_keeps_its_wire_form() -> None:
    policy = {
        "connectionPool": {
            "tcp": {
                "maxConnections": 100,
                "connectTimeout": "30ms",
                "tcpKeepalive": {"time": "7200s", "interval": "75s"},
            },
            "http": {"http2MaxRequests": 1000, "maxRequestsPerConnection": 10, "idleTimeout": "1h"},
        },
        "outlierDetection": {"consecutive5xxErrors": 7, "interval": "5m", "baseEjectionTime": "15m"},
        "tls": {"mode": "MUTUAL", "clientCertificate": "/a", "privateKey": "/b"},
        "portLevelSettings": [{"port": {"number": 80}, "loadBalancer": {"simple": "LEAST_CONN"}}],
    }
    spec = {"host": "*.a.b", "trafficPolicy": policy}
    assert api.DestinationRule.from_wire(spec).spec() == spec


@pytest.mark.parametrize(
    "policy",
    [
        {"connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}}},
        {"connectionPool": {"http": {"useClientProtocol": True, "h2UpgradePolicy": "DO_NOT_UPGRADE"}}},
        {"connectionPool": {"tcp": {"maxConnections": 0}}},
        {"tls": {"mode": "ISTIO_MUTUAL", "credentialName": "a", "caCertificates": "/b"}},
        {"tls": {"mode": "SIMPLE", "caCertificates": "/b"}},
        {"tls": {"mode": "MUTUAL", "credentialName": "a"}},
        {"portLevelSettings": [{"port": {"number": 80}, "connectionPool": {"tcp": {}}}]},
        {"portLevelSettings": [{"port": {"number": 80}, "outlierDetection": {}}]},
        {"portLevelSettings": [{"port": {"number": 80}, "tls": {}}]},
    ],
)
def test_a_valid_traffic_policy_is_accepted(policy: dict[str, Any]) -> None:
    assert (
        api.TrafficPolicy.from_wire(policy)
        == api.DestinationRule.from_wire({"host": "a", "trafficPolicy": policy}).trafficPolicy
    )
