"""The rate limits that EnvoyFilters set."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.rate_limits import Limit, RateLimits
from mesh.traffic import envoy
from mesh.traffic import rate_limits as config
from tests.meshes import deployment

POD = deployment("cart", {"app": "cart"}, "shop", containers=[{"name": "cart"}, {"name": "istio-proxy"}])
EDGE = deployment("edge", {"app": "edge"}, "shop", containers=[{"name": "istio-proxy"}])
TEN = config.Limit(requests=10, per="minute", burst=20)


def limits(*patches: dict[str, Any], labels: dict[str, str] | None = None, namespace: str = "shop") -> RateLimits:
    spec = {"workloadSelector": {"labels": labels or {"app": "cart"}}, "configPatches": list(patches)}
    metadata = {"name": "limit", "namespace": namespace}
    made = {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": metadata, "spec": spec}
    return RateLimits(_mesh(made))


def _mesh(*more: dict[str, Any]) -> Mesh:
    return Mesh([Object.read(one) for one in (POD, EDGE, *more)], DEFAULT_NAMES)


def of(found: RateLimits, name: str, route: str = "") -> list[Limit]:
    pods = {pod for pod, _ in found._of if pod.object.name == name}
    return [limit for pod in pods for limit in found.of(pod, route)]


def test_the_limit_of_a_stack_is_a_bucket_of_each_pod() -> None:
    found = limits(envoy.local_filter("SIDECAR_INBOUND", TEN))
    [limit] = of(found, "cart")
    assert limit == Limit(owner="EnvoyFilter shop/limit", most=20, fill=10, interval=60)
    assert str(limit) == "10 in 60 s, 20 at once"
    assert limit.rate == pytest.approx(1 / 6)
    assert limit.refill == pytest.approx(120)
    assert not found.others


def test_the_limit_of_a_route_is_that_routes_alone() -> None:
    found = limits(envoy.local_filter("GATEWAY", None), envoy.local_route("site-0", TEN), labels={"app": "edge"})
    assert [limit.route for limit in of(found, "edge", "site-0")] == ["site-0"]
    assert of(found, "edge", "site-1") == of(found, "edge") == []


def test_a_limit_without_a_selector_is_of_the_namespace_and_in_the_root_of_all() -> None:
    for namespace in ("shop", "istio-system"):
        assert of(limits(envoy.local_filter("SIDECAR_INBOUND", TEN), labels={}, namespace=namespace), "cart")
    assert not of(limits(envoy.local_filter("SIDECAR_INBOUND", TEN), labels={"app": "x"}), "cart")


def test_a_limit_for_callers_or_for_a_part_of_the_requests_is_another() -> None:
    whole = envoy.local_filter("SIDECAR_INBOUND", TEN)
    part, unset = copy.deepcopy(whole), copy.deepcopy(whole)
    part["patch"]["value"]["typed_config"]["value"]["filter_enforced"]["default_value"]["numerator"] = 50
    del unset["patch"]["value"]["typed_config"]["value"]["filter_enabled"]
    for patch in (part, unset, envoy.local_filter("SIDECAR_OUTBOUND", TEN)):
        found = limits(patch)
        assert of(found, "cart") == []
        assert found.others


def test_what_a_rate_limit_service_counts_is_another_limit() -> None:
    found = limits(envoy.global_filter("SIDECAR_INBOUND", True))
    assert found.others
    assert not RateLimits(_mesh()).others
