"""What objects of Istio's API need of each other, and which goes first if one takes something away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.analysis.objects import Ref
from mesh.apps.needs import Needs
from tests.meshes import manifest_of

Body = dict[str, Any]


def rule(*subsets: str, host: str = "cart", name: str = "cart", namespace: str = "shop") -> Body:
    spec = {"host": host, "subsets": [{"name": one, "labels": {"version": one}} for one in subsets]}
    return manifest_of("DestinationRule", name, spec, namespace=namespace)


def route(*subsets: str, host: str = "cart", name: str = "cart", namespace: str = "shop", **more: Any) -> Body:
    receivers = [{"destination": {"host": host, **({"subset": one} if one else {})}} for one in subsets]
    spec = {"hosts": [host], "http": [{"route": receivers}], **more}
    return manifest_of("VirtualService", name, spec, namespace=namespace)


def policy(name: str, namespace: str = "shop", **spec: Any) -> Body:
    return manifest_of("AuthorizationPolicy", name, spec, namespace=namespace)


def entry(host: str, name: str = "api", namespace: str = "shop") -> Body:
    return manifest_of("ServiceEntry", name, {"hosts": [host]}, namespace=namespace)


def needs(*objects: Body, before: tuple[Body, ...] = ()) -> Needs:
    return Needs(by_ref(*objects), standing=by_ref(*before))


def by_ref(*objects: Body) -> Mapping[Ref, Body]:
    return {Ref.of(one): one for one in objects}


def of(item: Body, *others: Body, before: tuple[Body, ...] = ()) -> set[str]:
    return {str(ref) for ref in needs(item, *others, before=before).of(Ref.of(item))}


@pytest.mark.parametrize(
    ("host", "of_rule"),
    [
        ("cart", rule("v1")),
        ("cart.shop.svc.cluster.local", rule("v1", host="cart.shop.svc.cluster.local", namespace="mesh")),
        ("cart", rule("v1", host="*.shop.svc.cluster.local")),
        ("api.example.com", rule("v1", host="*.example.com")),
    ],
)
def test_a_route_to_a_subset_needs_the_rules_of_its_host(host: str, of_rule: Body) -> None:
    assert of(route("v1", host=host), of_rule, rule("v1", host="other", name="other")) == {str(Ref.of(of_rule))}


def test_a_route_to_no_subset_needs_no_rule() -> None:
    assert of(route(""), rule("v1")) == set()


def test_a_route_needs_the_gateways_that_it_names_and_the_routes_that_it_delegates_to() -> None:
    gateway = manifest_of("Gateway", "web", {"servers": []}, namespace="mesh")
    below = manifest_of("VirtualService", "below", {"http": [{"route": []}]}, namespace="shop")
    http = [{"delegate": {"name": "below"}}]
    assert of(route(gateways=["mesh/web", "mesh"], http=http), gateway, below) == {
        *("Gateway mesh/web", "VirtualService shop/below")
    }


def test_a_route_needs_the_entry_of_a_host_outside() -> None:
    assert of(route("", host="api.example.com"), entry("api.example.com"), entry("b.example.com", "b")) == {
        "ServiceEntry shop/api"
    }


def test_a_sidecar_needs_the_entries_that_it_lets_through_and_the_way_for_all_others() -> None:
    spec = {
        "egress": [{"hosts": ["./*", "shop/api.example.com"]}],
        "outboundTrafficPolicy": {"egressProxy": {"host": "cart", "subset": "v1"}},
    }
    sidecar = manifest_of("Sidecar", "default", spec, namespace="shop")
    assert of(sidecar, entry("api.example.com"), entry("b.example.com", "b"), rule("v1")) == {
        *("ServiceEntry shop/api", "DestinationRule shop/cart")
    }


TARGET = {"kind": "Service", "group": "", "name": "cart"}


@pytest.mark.parametrize("spec", [{"targetRefs": [TARGET]}, {"targetRef": TARGET}])
def test_a_policy_needs_what_it_is_attached_to(spec: dict[str, Any]) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": "shop"}, "spec": {}}
    assert of(policy("a", rules=[{}], **spec), service) == {"Service shop/cart"}


def test_a_policy_that_allows_nothing_comes_after_those_that_allow_something() -> None:
    some, elsewhere = policy("some", rules=[{}]), policy("elsewhere", "other", rules=[{}])
    refused = policy("refused", action="DENY", rules=[{}])
    assert of(policy("none"), some, elsewhere, refused) == {"AuthorizationPolicy shop/some"}
    assert of(policy("none", "istio-system"), some, elsewhere, refused) == {
        *("AuthorizationPolicy shop/some", "AuthorizationPolicy other/elsewhere")
    }


def test_a_rule_that_loses_a_subset_changes_after_the_route_that_led_to_it() -> None:
    before = (rule("v1", "v2"), route("v1"))
    assert of(rule("v2"), route("v2"), before=before) == {"VirtualService shop/cart"}
    assert of(route("v2"), rule("v2"), before=before) == set()


def test_a_rule_changes_first_if_the_route_needs_a_subset_that_it_gains() -> None:
    """Whichever is first, one of them is missing for a moment; a new subset is missing for longer."""
    before = (rule("v1"), route("v1"))
    assert of(route("v2"), rule("v2"), before=before) == {"DestinationRule shop/cart"}
    assert of(rule("v2"), route("v2"), before=before) == set()


def test_a_rule_that_loses_a_subset_does_not_wait_for_routes_that_never_led_to_it() -> None:
    assert of(rule("v1"), route("v1"), before=(rule("v1", "v2"), route("v1"))) == set()


def test_routes_that_delegate_to_each_other_still_have_an_order() -> None:
    one, two = (route(name=name, http=[{"delegate": {"name": other}}]) for name, other in (("a", "b"), ("b", "a")))
    found = needs(one, two)
    assert len(found.in_order()) == 2
    assert sorted(len(found.of(Ref.of(item))) for item in (one, two)) == [0, 1]


@pytest.mark.parametrize("turned", [False, True])
def test_of_needs_in_a_circle_the_weakest_is_left_out(turned: bool) -> None:
    """The route `a` leaves a subset of the rule and delegates to `b`, which needs the rule: `a` can do without `b`."""
    before = (rule("v1", "v2"), route("v1", name="a"))
    a, b = route(name="a", http=[{"delegate": {"name": "b"}}]), route("v2", name="b")
    objects = [a, b, rule("v2")]
    order = [str(ref) for ref in needs(*(objects[::-1] if turned else objects), before=before).in_order()]
    assert order == ["VirtualService shop/a", "DestinationRule shop/cart", "VirtualService shop/b"]


def test_rules_and_routes_that_wait_for_each_other_crosswise_still_have_an_order() -> None:
    """Each of two routes leaves the subset of one rule and enters that of the other."""

    def way(name: str, leaves: str, enters: str) -> tuple[Body, Body]:
        hosts = [{"destination": {"host": host, "subset": "v1"}} for host in (leaves, enters)]
        old = [{"destination": {"host": leaves, "subset": "v2"}}, {"destination": {"host": enters, "subset": "v1"}}]
        return route(name=name, http=[{"route": old}]), route(name=name, http=[{"route": hosts}])

    (old_a, new_a), (old_b, new_b) = way("a", "x", "y"), way("b", "y", "x")
    before = [rule("v1", "v2", host=host, name=host) for host in ("x", "y")]
    after = [rule("v1", host=host, name=host) for host in ("x", "y")]
    found = needs(new_a, new_b, *after, before=(old_a, old_b, *before))
    assert len(found.in_order()) == 4
    assert sum(len(found.of(Ref.of(item))) for item in (new_a, new_b, *after)) == 3
