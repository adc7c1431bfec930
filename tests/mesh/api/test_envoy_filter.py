"""EnvoyFilter: match conditions and patches."""

from typing import Any

import pytest

from mesh import api
from mesh.api.envoy_filter import HTTP_MANAGERS
from tests.mesh.api.test_api import problems

ADD = {"operation": "ADD", "value": {}}
ROUTER = {"name": "envoy.filters.http.router"}


def listener(**filter: Any) -> dict[str, Any]:
    return {"listener": {"filterChain": {"filter": filter}}}


@pytest.mark.parametrize(
    ("patch", "line"),
    [
        ({"applyTo": "CLUSTER"}, ".patch: is required"),
        ({"patch": ADD}, ".applyTo: is required"),
        ({"applyTo": "INVALID", "patch": ADD}, ".applyTo: is required"),
        (
            {"applyTo": "CLUSTERS", "patch": ADD},
            '.applyTo: "CLUSTERS" is not one of INVALID, LISTENER, FILTER_CHAIN, NETWORK_FILTER, HTTP_FILTER, '
            "ROUTE_CONFIGURATION, VIRTUAL_HOST, HTTP_ROUTE, CLUSTER, EXTENSION_CONFIG, BOOTSTRAP, LISTENER_FILTER; did "
            'you mean "CLUSTER"?',
        ),
        ({"applyTo": "CLUSTER", "patch": {"value": {}}}, ".patch.operation: is required"),
        ({"applyTo": "CLUSTER", "patch": {"operation": "MERGE"}}, ".patch.value: is required for MERGE"),
        (
            {"applyTo": "CLUSTER", "patch": {"operation": "ADD", "value": []}},
            ".patch.value: expected a mapping, got []",
        ),
        (
            {"applyTo": "CLUSTER", "patch": ADD, "match": {"listener": {}}},
            ".match.listener: does not go with applyTo CLUSTER; use cluster",
        ),
        (
            {"applyTo": "LISTENER", "patch": ADD, "match": {"cluster": {}}},
            ".match.cluster: does not go with applyTo LISTENER; use listener",
        ),
        (
            {"applyTo": "HTTP_ROUTE", "patch": ADD, "match": {"cluster": {}}},
            ".match.cluster: does not go with applyTo HTTP_ROUTE; use routeConfiguration",
        ),
        (
            {"applyTo": "CLUSTER", "patch": ADD, "match": {"cluster": {}, "listener": {}}},
            ".match: only one of listener, routeConfiguration, cluster, waypoint may be set, got listener and cluster",
        ),
        (
            {"applyTo": "CLUSTER", "patch": ADD, "match": {"proxy": {"proxyVersion": "a**"}}},
            '.match.proxy.proxyVersion: "a**" is not a regular expression: bad repetition operator: **',
        ),
        (
            {"applyTo": "HTTP_FILTER", "patch": ADD, "match": listener()},
            ".match.listener.filterChain.filter.name: is required",
        ),
        (
            {"applyTo": "NETWORK_FILTER", "patch": ADD, "match": listener(name=HTTP_MANAGERS[0], subFilter=ROUTER)},
            ".match.listener.filterChain.filter.subFilter: needs applyTo HTTP_FILTER",
        ),
        (
            {"applyTo": "HTTP_FILTER", "patch": ADD, "match": listener(name="a", subFilter=ROUTER)},
            f".match.listener.filterChain.filter.name: must be {HTTP_MANAGERS[0]}, the only filter with filters of its"
            " own",
        ),
        (
            {"applyTo": "HTTP_FILTER", "patch": ADD, "match": listener(name=HTTP_MANAGERS[1], subFilter={})},
            ".match.listener.filterChain.filter.subFilter.name: is required",
        ),
    ],
)
def test_an_invalid_patch_is_refused_with_its_path(patch: dict[str, Any], line: str) -> None:
    assert problems(api.EnvoyFilter, {"configPatches": [patch]}) == [f"EnvoyFilter configPatches[0]{line}"]


@pytest.mark.parametrize(
    "patch",
    [
        {"applyTo": "HTTP_FILTER", "match": listener(name=HTTP_MANAGERS[0], subFilter=ROUTER), "patch": ADD},
        {"applyTo": "CLUSTER", "match": {"context": "GATEWAY", "cluster": {}}, "patch": {"operation": "REMOVE"}},
        {"applyTo": "EXTENSION_CONFIG", "match": listener(), "patch": ADD},
        {"applyTo": "FILTER_CHAIN", "match": {"listener": {"filterChain": {"sni": "a.b"}}}, "patch": ADD},
        {"applyTo": "NETWORK_FILTER", "match": listener(name="a"), "patch": ADD},
        {"applyTo": "VIRTUAL_HOST", "match": {"routeConfiguration": {"vhost": {"name": "a:80"}}}, "patch": ADD},
        {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"a": {"b": [1, 0.5, None, "c"]}}}},
    ],
)
def test_a_valid_patch_keeps_its_wire_form(patch: dict[str, Any]) -> None:
    got = api.EnvoyFilter.from_wire({"configPatches": [patch]}).spec()
    assert got == {"configPatches": [patch]}
