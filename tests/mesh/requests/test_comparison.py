"""Comparison of how two meshes answer the same requests."""

from __future__ import annotations

import time

import pytest

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests import comparison, samples
from tests import meshes
from tests.faults import policy
from tests.mesh.analysis.test_analysis import mesh_of
from tests.meshes import Manifest, manifest_of, routes, service, to

pytestmark = pytest.mark.slow


def mesh(*objects: Manifest) -> Mesh:
    return Mesh([Object.read(manifest) for manifest in meshes.changed(objects)], DEFAULT_NAMES)


def changes(*objects: Manifest) -> list[str]:
    """The changed answers when these objects are added to the good mesh."""
    return [str(change) for change in comparison.changes(mesh(), mesh(*objects))]


def test_equal_meshes_have_no_changes() -> None:
    assert changes() == []


def test_a_new_service_changes_requests_to_it_and_no_others() -> None:
    assert changes(service("lonely", selector={"app": "front"}), manifest_of("Namespace", "other")) == [
        "lonely/ from cart-v1: 200 (the mesh does not know the host) → lonely; 2 retries"
    ]


def test_only_the_user_who_gets_another_version_is_reported() -> None:
    jason = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], **to("cart", "v2")}
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    assert changes(routes("cart", jason, new, to("cart", "v1"))) == [
        "cart/ with end-user: jason from front: cart v1; 2 retries → cart v2; 2 retries"
    ]


def test_a_canary_is_reported_with_its_weight() -> None:
    parts = [{"destination": {"host": "cart", "subset": f"v{i}"}, "weight": w} for i, w in ((1, 90), (2, 10))]
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    assert changes(routes("cart", new, {"route": parts})) == [
        "cart/ from front: cart v1; 2 retries → 90 % cart v1, 10 % cart v2; 2 retries"
    ]


def test_a_newly_denied_caller_is_reported_with_the_policy() -> None:
    found = changes(policy("cart", {"principals": ["cluster.local/ns/shop/sa/other"]}))
    assert found == [
        f"cart{path} from front: cart {version}; 2 retries → 403 (AuthorizationPolicy shop/cart does not allow it)"
        for path, version in (("/", "v1"), ("/new", "v2"), ("/new0", "v2"))
    ]


def test_a_caller_who_is_denied_before_and_after_is_no_change() -> None:
    nobody = policy("cart", {"principals": ["cluster.local/ns/shop/sa/other"]})
    more = policy("more", {"principals": ["cluster.local/ns/shop/sa/third"]}, app="cart")
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    before, after = mesh(nobody), mesh(nobody, more, routes("cart", new, to("cart", "v2", timeout="2s")))
    assert comparison.changes(before, after) == []


def test_faults_mirrors_timeouts_and_retries_are_reported() -> None:
    fault = {"abort": {"httpStatus": 500, "percentage": {"value": 10}}}
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    limits = {"timeout": "2s", "retries": {"attempts": 0}, "mirror": {"host": "cart", "subset": "v2"}}
    (found,) = changes(routes("cart", new, to("cart", "v1", fault=fault, **limits)))
    after = found.partition(" → ")[2]
    assert after == "cart v1; 10 % end in 500; copies of 100 % to cart v2; at most 2s; 0 retries"


def test_each_of_several_mirrors_is_reported() -> None:
    copies = [{"destination": {"host": host}, "percentage": {"value": 5}} for host in ("cart", "front")]
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    (found,) = changes(routes("cart", new, to("cart", "v1", mirrors=copies)))
    assert found.endswith(" → cart v1; copies of 5 % to cart; copies of 5 % to front; 2 retries")


def test_a_host_that_is_no_longer_served_is_reported() -> None:
    (found,) = changes(routes("visitors", to("front"), hosts=["store.example.com"], gateways=["way-in"]))
    assert found == "shop.example.com/ through ingress: front; 2 retries → 404 (no VirtualService is for its host)"


def test_a_thousand_services_are_compared_in_seconds() -> None:
    start = time.process_time()
    big = mesh_of(1000)
    assert comparison.changes(Mesh(big, DEFAULT_NAMES), Mesh(big, DEFAULT_NAMES)) == []
    assert time.process_time() - start < 10


def test_each_distinction_is_asked_once() -> None:
    assert [str(sample) for sample in samples.between(mesh(), mesh()).requests] == [
        "shop.example.com/ through ingress",
        "front/ from cart-v1",
        "cart/ from front",
        "cart/new from front",
        "cart/new0 from front",
        "elsewhere.example.org/ from front",
    ]


def test_a_policy_for_a_target_that_changes_is_not_evaluated() -> None:
    target = {"targetRefs": [{"kind": "Service", "name": "cart"}]}
    policies = [manifest_of("AuthorizationPolicy", "x", {**target, "action": action}) for action in ("ALLOW", "DENY")]
    found = comparison.compare(*(mesh(one) for one in policies))
    assert (found.changes, found.missing) == (
        [],
        ["AuthorizationPolicy shop/x, which applies to gateways of the Gateway API, or waypoints"],
    )
