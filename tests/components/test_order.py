"""Objects of files, of `mesh:objects`, `mesh:traffic` and `mesh:security` wait for each other."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

import pytest

from commands import render
from tests.meshes import manifest_of

pytestmark = pytest.mark.slow

SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}]


def waits(objects: list[Any], **keys: Any) -> dict[str, Set[str]]:
    """For each of Istio's objects that the stack registers, those that it waits for."""
    given = {"injectedNamespaces": {"default": "existing"}, "bookinfo": {"gateway": False}, **keys}
    config = {"mesh:release": "1.30", **{f"mesh:{key}": json.dumps(value) for key, value in given.items()}}
    found = render.record("dev", {**config, "mesh:objects": json.dumps(objects)})
    own = {one.urn: one for one in found if ".istio.io/" in one.type}
    names = {urn: f"{one.inputs['kind']} {one.inputs['metadata']['name']}" for urn, one in own.items()}
    return {names[urn]: {names[other] for other in one.depends_on if other in own} for urn, one in own.items()}


def test_a_route_in_plain_waits_for_the_subsets_of_the_settings() -> None:
    to_v1 = {"route": [{"destination": {"host": "reviews", "subset": "v1"}}]}
    route = manifest_of("VirtualService", "reviews-own", {"hosts": ["reviews"], "http": [to_v1]}, namespace="default")
    found = waits([route], traffic={"services": {"reviews": {"versions": ["v1"]}}})
    assert found["VirtualService reviews-own"] == {"DestinationRule reviews"}


def test_a_route_of_the_settings_waits_for_the_subsets_and_hosts_of_objects_in_plain() -> None:
    rule = manifest_of("DestinationRule", "own", {"host": "reviews", "subsets": SUBSETS}, namespace="default")
    entry = {
        "hosts": ["api.example.com"],
        "ports": [{"number": 9080, "name": "http", "protocol": "HTTP"}],
        "resolution": "DNS",
    }
    outside = manifest_of("ServiceEntry", "api", entry, namespace="default")
    services = {"reviews": {"versions": ["v2"], "route": "v2"}}
    hosts = {"api": {"hosts": ["a.example.com"], "routes": [{"to": "api.example.com"}]}}
    found = waits([rule, outside], traffic={"services": services, "hosts": hosts})
    assert found["VirtualService reviews"] == {"DestinationRule own", "DestinationRule reviews"}
    assert found["VirtualService api"] == {"ServiceEntry api", "Gateway api-gateway"}


def test_a_host_may_lead_to_a_subset_of_a_rule_in_plain_and_waits_for_it() -> None:
    rule = manifest_of("DestinationRule", "own", {"host": "reviews", "subsets": SUBSETS}, namespace="default")
    routes = [{"to": {"service": "reviews", "version": "v1"}}]
    found = waits([rule], traffic={"hosts": {"page": {"hosts": ["a.example.com"], "routes": routes}}})
    assert found["VirtualService page"] == {"DestinationRule own", "Gateway page-gateway"}


def test_a_policy_of_the_settings_that_denies_waits_for_one_in_plain_that_allows() -> None:
    own = manifest_of("AuthorizationPolicy", "own", {"rules": [{}]}, namespace="default")
    found = waits([own], security={"authorization": {"defaultDeny": True}})
    deny = {name for name, needed in found.items() if "AuthorizationPolicy own" in needed}
    assert len(deny) == 1
