"""What a change does to requests."""

from __future__ import annotations

import time

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests import comparison, samples
from tests import meshes
from tests.faults import policy
from tests.mesh.analysis.test_analysis import mesh_of
from tests.meshes import Manifest, routes, service, thing, to


def mesh(*objects: Manifest) -> Mesh:
    return Mesh([Object.read(manifest) for manifest in meshes.changed(objects)], DEFAULT_NAMES)


def changes(*objects: Manifest) -> list[str]:
    """What is different when these objects come into the good mesh."""
    return [str(change) for change in comparison.changes(mesh(), mesh(*objects))]


def test_the_same_mesh_answers_the_same() -> None:
    assert changes() == []


def test_what_no_request_notices_is_no_change() -> None:
    assert changes(service("lonely", selector={"app": "front"}), thing("Namespace", "other")) == [
        "lonely/ from cart-v1: 200 (the mesh does not know the host) → lonely; 2 retries"
    ]


def test_a_user_who_gets_another_version_is_told_and_nobody_else() -> None:
    jason = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], **to("cart", "v2")}
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    assert changes(routes("cart", jason, new, to("cart", "v1"))) == [
        "cart/ with end-user: jason from front: cart v1; 2 retries → cart v2; 2 retries"
    ]


def test_a_canary_is_told_with_its_share() -> None:
    parts = [{"destination": {"host": "cart", "subset": f"v{i}"}, "weight": w} for i, w in ((1, 90), (2, 10))]
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    assert changes(routes("cart", new, {"route": parts})) == [
        "cart/ from front: cart v1; 2 retries → 90 % cart v1, 10 % cart v2; 2 retries"
    ]


def test_a_caller_who_is_refused_from_now_on_is_told_with_the_policy() -> None:
    found = changes(policy("cart", {"principals": ["cluster.local/ns/shop/sa/other"]}))
    assert found == [
        f"cart{path} from front: cart {version}; 2 retries → 403 (AuthorizationPolicy shop/cart does not allow it)"
        for path, version in (("/", "v1"), ("/new", "v2"))
    ]


def test_who_is_refused_by_another_version_or_for_another_reason_sees_no_difference() -> None:
    nobody = policy("cart", {"principals": ["cluster.local/ns/shop/sa/other"]})
    more = policy("more", {"principals": ["cluster.local/ns/shop/sa/third"]}, app="cart")
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    before, after = mesh(nobody), mesh(nobody, more, routes("cart", new, to("cart", "v2", timeout="2s")))
    assert comparison.changes(before, after) == []


def test_faults_and_limits_are_told() -> None:
    fault = {"abort": {"httpStatus": 500, "percentage": {"value": 10}}}
    new = {"match": [{"uri": {"prefix": "/new"}}], **to("cart", "v2")}
    limits = {"timeout": "2s", "retries": {"attempts": 0}, "mirror": {"host": "cart", "subset": "v2"}}
    (found,) = changes(routes("cart", new, to("cart", "v1", fault=fault, **limits)))
    after = found.partition(" → ")[2]
    assert after == "cart v1; 10 % end in 500; copies of 100 % to cart v2; at most 2s; 0 retries"


def test_a_host_that_is_no_longer_served_is_told() -> None:
    (found,) = changes(routes("visitors", to("front"), hosts=["store.example.com"], gateways=["way-in"]))
    assert found == "shop.example.com/ through ingress: front; 2 retries → 404 (no VirtualService is for its host)"


def test_a_thousand_services_are_compared_in_seconds() -> None:
    start = time.process_time()
    big = mesh_of(1000)
    assert comparison.changes(Mesh(big, DEFAULT_NAMES), Mesh(big, DEFAULT_NAMES)) == []
    assert time.process_time() - start < 10


def test_samples_are_few_where_nothing_is_told_apart() -> None:
    assert [str(sample) for sample in sorted(samples.of(mesh()))] == [
        "shop.example.com/ through ingress",
        "front/ from cart-v1",
        "cart/ from front",
        "cart/new from front",
        "elsewhere.example.org/ from front",
    ]
