"""`mesh:traffic.services`: routes, route actions and traffic policies."""

import re
from typing import Any

import pytest

from mesh.traffic.matching import Match
from tests.traffic_configs import objects, policy, refusal, routes, service, specs


def match(**fields: Any) -> dict[str, Any]:
    return Match.model_validate(fields).http_match().model_dump(exclude_none=True)


def test_versions_alone_become_a_destination_rule_only() -> None:
    assert list(specs(service())) == ["DestinationRule/reviews"]


def test_a_map_of_versions_sets_the_labels_of_subsets() -> None:
    found = specs({"services": {"reviews": {"versions": {"next": {"track": "canary"}}, "route": "next"}}})
    assert found["DestinationRule/reviews"]["subsets"] == [{"name": "next", "labels": {"track": "canary"}}]


def test_each_version_of_a_route_has_its_weight_zero_too() -> None:
    [route] = routes(route={"v1": 100, "v3": 0})
    assert [share["weight"] for share in route["route"]] == [100, 0]


def test_a_service_without_versions_can_have_a_timeout() -> None:
    assert specs({"services": {"reviews": {"timeout": "3s"}}}) == {
        "VirtualService/reviews": {
            "hosts": ["reviews"],
            "http": [{"timeout": "3s", "route": [{"destination": {"host": "reviews"}}]}],
        }
    }


def test_a_service_may_set_its_own_host_and_namespace() -> None:
    traffic = {"services": {"other": {"host": "reviews", "namespace": "shop", "timeout": "1s"}}}
    [found] = objects(traffic, namespaces={"shop": "existing"})
    assert (found.name, found.namespace) == ("other", "shop")
    assert found.body.spec()["hosts"] == ["reviews"]


def test_rules_come_before_the_default_route_and_inherit_the_services_settings() -> None:
    first, second, rest = routes(
        route="v1",
        timeout="3s",
        mirror="v3",
        rules=[
            {"match": {"user": "jason"}, "route": "v2"},
            {"match": {"path": "/x*"}, "timeout": "1s", "mirror": None},
        ],
    )
    assert [route["route"][0]["destination"]["subset"] for route in (first, second, rest)] == ["v2", "v1", "v1"]
    assert [route["timeout"] for route in (first, second, rest)] == ["3s", "1s", "3s"]
    assert ["mirror" in route for route in (first, second, rest)] == [True, False, True]


def test_a_list_of_matches_becomes_alternatives() -> None:
    first, _ = routes(route="v1", rules=[{"match": [{"user": "jason"}, {"method": "POST"}], "route": "v2"}])
    assert first["match"] == [{"headers": {"end-user": {"exact": "jason"}}}, {"method": {"exact": "POST"}}]


def test_a_trailing_star_means_a_prefix_and_a_star_alone_any_value() -> None:
    found = match(headers={"a": "x", "b": "x*", "c": "*", "d": {"regex": "x.*"}})["headers"]
    assert found == {"a": {"exact": "x"}, "b": {"prefix": "x"}, "c": {}, "d": {"regex": "x.*"}}


@pytest.mark.parametrize(
    ("header", "same"),
    [
        ("group=a.b", True),
        ("x=1; group=a.b; y=2", True),
        ("group=axb", False),
        ("mygroup=a.b", False),
        ("group=a.bc", False),
    ],
)
def test_a_cookie_matches_among_others_and_only_by_its_whole_name_and_value(header: str, same: bool) -> None:
    expression = match(cookie={"group": "a.b"})["headers"]["cookie"]["regex"]
    assert bool(re.fullmatch(expression, header)) == same


def test_every_other_condition_becomes_a_field_of_http_match_request() -> None:
    found = match(
        path="/a*",
        ignoreCase=True,
        scheme="https",
        host="shop.example.com",
        queryParams={"q": "1"},
        withoutHeaders={"x-test": "*"},
        port=9080,
        sourceLabels={"app": "web"},
        sourceNamespace="shop",
    )
    assert found == {
        "uri": {"prefix": "/a"},
        "ignoreUriCase": True,
        "scheme": {"exact": "https"},
        "authority": {"exact": "shop.example.com"},
        "queryParams": {"q": {"exact": "1"}},
        "withoutHeaders": {"x-test": {}},
        "port": 9080,
        "sourceLabels": {"app": "web"},
        "sourceNamespace": "shop",
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"retries": 3}, {"retries": {"attempts": 3}}),
        (
            {"retries": {"attempts": 2, "perTryTimeout": "1s", "retryOn": "5xx"}},
            {"retries": {"attempts": 2, "perTryTimeout": "1s", "retryOn": "5xx"}},
        ),
        (
            {"fault": {"abort": 503, "percent": 12.5}},
            {"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 12.5}}}},
        ),
        ({"mirror": "v2"}, {"mirror": {"host": "reviews", "subset": "v2"}}),
        (
            {"mirror": {"service": "audit", "percent": 10}},
            {"mirror": {"host": "audit"}, "mirrorPercentage": {"value": 10}},
        ),
        ({"rewrite": "/new"}, {"rewrite": {"uri": "/new"}}),
        ({"rewrite": {"authority": "other"}}, {"rewrite": {"authority": "other"}}),
        ({"headers": {"request": {"set": {"x": "1"}}}}, {"headers": {"request": {"set": {"x": "1"}}}}),
        (
            {"cors": {"allowOrigins": [{"exact": "https://example.com"}]}},
            {"corsPolicy": {"allowOrigins": [{"exact": "https://example.com"}]}},
        ),
    ],
)  # fmt: skip
def test_route_actions_become_fields_of_the_http_route(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    [route] = routes(**fields)
    assert {key: value for key, value in route.items() if key != "route"} == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tls": "DISABLE"}, {"tls": {"mode": "DISABLE"}}),
        ({"balancing": "RANDOM"}, {"loadBalancer": {"simple": "RANDOM"}}),
        (
            {"affinity": {"cookie": "user"}},
            {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "user", "ttl": "0s"}}}},
        ),
        ({"affinity": {"header": "x-user"}}, {"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}}),
        ({"affinity": {"queryParam": "u"}}, {"loadBalancer": {"consistentHash": {"httpQueryParameterName": "u"}}}),
        ({"affinity": {"sourceAddress": True}}, {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}),
        (
            {"circuitBreaker": {"connectionPool": {"tcp": {"maxConnections": 1}}, "outlierDetection": {}}},
            {"connectionPool": {"tcp": {"maxConnections": 1}}, "outlierDetection": {}},
        ),
    ],
)  # fmt: skip
def test_tls_balancing_affinity_and_circuit_breaker_become_the_traffic_policy(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert policy(**fields) == expected


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"route": {"v1": 90, "v3": 20}}, "services.reviews.route: the weights must add up to 100, not 110"),
        ({"route": "v4"}, 'mesh:traffic.services.reviews.route: "v4" is not one of v1, v2, v3 (versions)'),
        (
            {"rules": [{"match": {"user": "jason"}, "route": "v4"}]},
            'mesh:traffic.services.reviews.rules[0].route: "v4" is not one of',
        ),
        ({"mirror": "v4"}, 'mesh:traffic.services.reviews.mirror: "v4" is not one of'),
        ({"rules": [{"route": "v2"}]}, "mesh:traffic.services.reviews.rules[0].match: is required"),
        ({"rules": [{"match": {}, "route": "v2"}]}, "reviews.rules[0].match[0]: needs a condition"),
        ({"rules": [{"match": {"path": "x"}}]}, "reviews.rules[0].match[0].path: must start with /"),
        ({"rules": [{"match": {"path": {"regex": "(?=x)"}}}]}, "match[0].path.regex: "),
        ({"rules": [{"match": {"cookie": {"a": "1", "b": "2"}}}]}, "match[0].cookie: "),
        ({"rules": [{"match": {"user": "a", "headers": {"end-user": "b"}}}]}, "match[0].user: stands for"),
        ({"rules": [{"match": {"cookie": {"a": "b"}, "headers": {"cookie": "b"}}}]}, "match[0].cookie: cannot"),
        ({"rules": [{"match": {"queryParams": {"q": "1*"}}}]}, "match[0].queryParams.q: cannot be a prefix"),
        ({"rules": [{"match": {"host": {"exact": "a", "prefix": "b"}}}]}, "match[0].host: needs exactly one"),
        ({"rules": [{"match": {"path": "/x?version=2"}}]}, "match[0].path: \"/x?version=2\" has \"?\", but a path"),
        ({"rules": [{"match": {"path": "/x?v*"}}]}, "match it with queryParams"),
        ({"rules": [{"match": {"path": "/a/*/b"}}]}, 'match[0].path: "/a/*/b": * is a wildcard only at the end'),
        ({"rules": [{"match": {"path": {"regex": "reviews/.*"}}}]}, "whole path, which starts with /"),
        ({"rules": [{"match": {"host": "*.example.com"}}]}, 'match[0].host: "*.example.com": * is a wildcard only at'),
        ({"rules": [{"match": {"host": {"exact": "http://a"}}}]}, 'match[0].host: "http://a" is not a host'),
        ({"rules": [{"match": {"headers": {"user-agent": "*Firefox*"}}}]}, "write { regex: .*Firefox.* }"),
        ({"rules": [{"match": {"cookie": {"group": "can*"}}}]}, 'cookie.group: "can*" must be the whole value'),
        ({"rewrite": "v2"}, 'reviews.rewrite.uri: "v2" must start with /'),
        ({"rewrite": "/v2/*"}, 'reviews.rewrite.uri: "/v2/*": * is no wildcard here'),
        ({"rewrite": {"authority": "https://a"}}, 'reviews.rewrite.authority: "https://a" is not a host'),
        ({"rules": [{"match": {"user": "a"}, "rewrite": "v2"}]}, "rules[0].rewrite.uri: "),
        ({"headers": {"request": {"set": {"x y": "1"}}}}, 'headers.request.set["x y"]: "x y" is not the name'),
        ({"headers": {"response": {"remove": ["x:"]}}}, 'response.remove.x: "x:" is not the name of a header'),
        ({"headers": {"request": {"add": {"x-y": "1\n2"}}}}, "headers.request.add.x-y: "),
        ({"cors": {"allowOrigins": [{"exact": "a.example"}]}}, 'cors.allowOrigins[0]: "a.example" is not an origin'),
        ({"timeout": "3"}, 'reviews.timeout: "3" is not a duration'),
        ({"retries": {"attempts": 0, "retryOn": "5xx"}}, "reviews.retries.attempts: must be 1 or more"),
        ({"fault": {}}, "reviews.fault: needs delay, abort or both"),
        ({"fault": {"abort": 700}}, "reviews.fault.abort: 700 is not in 200..599"),
        ({"fault": {"abort": 500, "percent": 101}}, "reviews.fault.percent: 101 is not in 0..100"),
        ({"mirror": {"percent": 10}}, "reviews.mirror: needs service, version or both"),
        ({"affinity": {}}, "reviews.affinity: needs exactly one"),
        ({"affinity": {"header": "x", "ttl": "1s"}}, "reviews.affinity.ttl: is for a cookie"),
        ({"affinity": {"header": "x"}, "balancing": "RANDOM"}, "reviews.balancing: cannot be combined with affinity"),
        ({"circuitBreaker": {}}, "reviews.circuitBreaker: needs"),
        ({"tls": {"mode": "MUTUAL", "privateKey": "/key"}}, "reviews.tls.clientCertificate: is required"),
        ({"namespace": "shop"}, 'mesh:traffic.services.reviews: namespace "shop" is not one of the stack\'s'),
        ({"rout": "v1"}, 'unknown field "rout"; did you mean "route"?'),
    ],
)  # fmt: skip
def test_an_invalid_value_is_reported_in_one_line_with_its_key(fields: dict[str, Any], text: str) -> None:
    message = refusal(service(**fields))
    assert text in message
    assert len(message.splitlines()) == 1


def test_a_service_without_settings_is_refused() -> None:
    assert "reviews: has no settings" in refusal({"services": {"reviews": {"namespace": "default"}}})


def test_a_service_must_name_its_namespace_if_several_are_injected() -> None:
    message = refusal(service(), injectedNamespaces={"a": "create", "b": "create"})
    assert message.startswith("mesh:traffic.services.reviews: namespace is required")


def test_two_objects_of_the_same_kind_and_name_are_refused() -> None:
    host = {"hosts": ["a.example.com"], "routes": [{"to": "reviews"}]}
    message = refusal({"services": {"reviews": {"timeout": "1s"}}, "hosts": {"reviews": host}})
    assert "hosts.reviews: its VirtualService reviews is also that of mesh:traffic.services.reviews" in message


def test_traffic_without_a_control_plane_is_refused() -> None:
    message = refusal(service(), profile="empty", injectedNamespaces={}, namespaces={"default": "existing"})
    assert "mesh:traffic is set, but the profile empty has no istiod" in message


def test_connections_are_routed_by_caller_and_port() -> None:
    rule = {"match": {"port": 3306, "sourceLabels": {"app": "ratings"}}, "route": "v2"}
    found = specs(service(protocol="TCP", route={"v1": 90, "v2": 10}, rules=[rule]))["VirtualService/reviews"]
    first, last = found["tcp"]
    assert first["match"] == [{"port": 3306, "sourceLabels": {"app": "ratings"}}]
    assert [one["weight"] for one in last["route"]] == [90, 10]
    assert "match" not in last


def test_connections_are_routed_by_the_address_that_callers_connect_to() -> None:
    rule = {"match": {"destinationSubnets": ["10.1.0.0/16"], "port": 3306}, "route": "v2"}
    found = specs(service(protocol="TCP", route="v1", rules=[rule]))["VirtualService/reviews"]
    assert found["tcp"][0]["match"] == [{"destinationSubnets": ["10.1.0.0/16"], "port": 3306}]


def by_subnets(*rules: dict[str, Any]) -> dict[str, Any]:
    return service(protocol="TCP", route="v1", rules=[{"match": match, "route": "v2"} for match in rules])


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (["10.0.0.0/8"], "10.0.0.0/8 is also in rules[0]: leave it out of one of them"),
        (["9.0.0.0/8", "10.1.0.0/16"], "10.1.0.0/16 lies in 10.0.0.0/8 of rules[0]: put this rule before that one"),
    ],
)
def test_a_range_that_an_earlier_rule_has_is_refused(second: list[str], problem: str) -> None:
    """Envoy takes the narrowest range in whatever order, and refuses one that is there twice."""
    rules = {"destinationSubnets": ["10.0.0.0/8"]}, {"destinationSubnets": second}
    assert f"rules[1].match[0].destinationSubnets[{len(second) - 1}]: {problem}" in refusal(by_subnets(*rules))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"destinationSubnets": ["10.1.0.0/16"]}, {"destinationSubnets": ["10.0.0.0/8"]}),
        ({"destinationSubnets": ["10.0.0.0/8"]}, {"destinationSubnets": ["fd00::/8"]}),
        ({"destinationSubnets": ["10.0.0.0/8"], "port": 1}, {"destinationSubnets": ["10.0.0.0/8"], "port": 2}),
        (
            {"destinationSubnets": ["10.0.0.0/8"], "sourceLabels": {"app": "a"}},
            {"destinationSubnets": ["10.0.0.0/8"], "sourceLabels": {"app": "b"}},
        ),
    ],
)
def test_ranges_that_no_connection_meets_in_the_wrong_order_are_taken(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert len(specs(by_subnets(first, second))["VirtualService/reviews"]["tcp"]) == 3


@pytest.mark.parametrize("protocol", ["HTTP", "TLS"])
def test_addresses_are_compared_for_connections_without_tls_alone(protocol: str) -> None:
    rule = {"match": {"destinationSubnets": ["10.0.0.0/8"]}, "route": "v2"}
    message = refusal(service(protocol=protocol, route="v1", rules=[rule]))
    assert f"destinationSubnets: is for protocol TCP, but the protocol is {protocol}" in message


def test_tls_from_end_to_end_is_routed_by_server_name() -> None:
    rule = {"match": {"host": "reviews.example.com"}, "route": "v2"}
    found = specs(service(protocol="TLS", route="v1", rules=[rule]))["VirtualService/reviews"]
    own = ["reviews", "reviews.default.svc.cluster.local", "reviews.default", "reviews.default.svc"]
    assert [route["match"] for route in found["tls"]] == [[{"sniHosts": ["reviews.example.com"]}], [{"sniHosts": own}]]
    assert found["hosts"] == [*own, "reviews.example.com"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"timeout": "1s"}, "timeout: is for requests, but with protocol TCP sidecars see only connections"),
        ({"limit": {"requests": 1}}, "limit: counts requests"),
        ({"affinity": {"cookie": "a"}}, "affinity: must be sourceAddress with protocol TCP"),
        ({"rules": [{"match": {"path": "/"}, "route": "v1"}]}, "rules[0].match[0].path: is for requests"),
        ({"rules": [{"match": {"host": "a"}, "route": "v1"}]}, "rules[0].match[0].host: is for requests"),
        ({"rules": [{"match": {"port": 1}, "route": "v1", "retries": 1}]}, "rules[0].retries: is for requests"),
    ],
)
def test_what_is_done_with_requests_is_refused_for_connections(fields: dict[str, Any], problem: str) -> None:
    assert f"mesh:traffic.services.reviews.{problem}" in refusal(service(protocol="TCP", route="v1", **fields))


def test_a_path_is_rewritten_by_a_regular_expression_where_the_release_has_it() -> None:
    edit = {"uriRegexRewrite": {"match": "/v[0-9]+/(.*)", "rewrite": "/\\1"}}
    found = specs(service(route="v1", rewrite=edit), release="1.30")["VirtualService/reviews"]
    assert found["http"][0]["rewrite"] == edit
    assert "Istio 1.10 has no such setting; 1.30 has it" in refusal(service(route="v1", rewrite=edit))
