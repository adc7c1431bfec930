"""Risks are judged by the requests that are let in before and after, and by texts only where that is not evaluated."""

from __future__ import annotations

from tests.faults import policy
from tests.meshes import Manifest, changed, gateway, manifest_of, routes, server, to
from tests.review import review, risks


def found(old: list[Manifest], new: list[Manifest]) -> list[str]:
    """The names of the risks of a change of the valid mesh, with the objects."""
    return [risk.rpartition(" | ")[0] for risk in risks(review(changed(old), changed(new)))]


def allowing(*paths: str) -> Manifest:
    rules = [{"to": [{"operation": {"paths": list(paths)}}]}]
    spec = {"selector": {"matchLabels": {"app": "cart"}}, "rules": rules}
    return manifest_of("AuthorizationPolicy", "cart", spec)


def visitors(*http: Manifest, host: str = "shop.example.com") -> Manifest:
    return routes("visitors", *http, hosts=[host], gateways=["way-in"])


LOOSER = "access rules loosened | AuthorizationPolicy shop/cart"
REFUSED = "requests refused | AuthorizationPolicy shop/cart"


def test_a_path_that_allows_nothing_refuses_requests_and_loosens_nothing() -> None:
    assert found([allowing("/a/*")], [allowing("a/*")]) == [REFUSED]
    assert found([allowing("a/*")], [allowing("/a/*")]) == [LOOSER]


def test_a_policy_that_allows_other_requests_lets_some_in_and_refuses_some() -> None:
    assert found([allowing("/a")], [allowing("/b")]) == [LOOSER, REFUSED]


def test_a_policy_in_other_words_is_no_risk() -> None:
    assert found([allowing("/a*")], [allowing("/a*", "/a/b")]) == []
    assert found([allowing("/a", "/b")], [allowing("/b", "/a")]) == []


def test_a_policy_for_callers_that_the_stack_does_not_have_is_judged_by_its_text() -> None:
    stranger = policy("cart", {"principals": ["cluster.local/ns/shop/sa/front", "cluster.local/ns/far/sa/x"]})
    (risk,) = risks(review(changed([]), changed([stranger])))
    assert risk == f"{LOOSER} | it allows more than before"


def test_a_request_that_is_let_in_is_named() -> None:
    (risk,) = risks(review(changed([allowing("/a")]), changed([allowing("/a", "/b")])))
    assert risk.startswith(f"{LOOSER} | a request that was refused is now let in: cart/b from front: 403 (")


def test_hosts_that_were_open_before_are_not_opened() -> None:
    wide = gateway("way-in", server(80, ["*"]))
    before, after = (visitors(to("front"), host=host) for host in ("*", "*.example.com"))
    assert found([wide, before], [wide, after]) == []
    assert found([], [wide]) == []


def test_a_service_that_no_request_from_outside_reached_is_opened_and_more_paths_weigh_less() -> None:
    ports = [{"name": "http2", "port": 80, "targetPort": 8080}]
    spec = {"type": "LoadBalancer", "selector": {"istio": "ingress"}, "ports": ports}
    outside = manifest_of("Service", "ingress", spec, "istio-system")
    front, cart = (to(name, match=[{"uri": {"prefix": f"/{name}"}}]) for name in ("front", "cart"))
    lax = policy("cart", {"notNamespaces": ["x"]})
    some = [outside, lax, visitors(front)]
    named = "VirtualService shop/visitors"
    assert found(some, [outside, lax, visitors(front, cart)]) == [f"opened to the outside | {named}"]
    assert found(some, [outside, lax, visitors(to("front"))]) == [f"more paths from outside | {named}"]


def test_a_policy_for_a_target_is_replaced_by_one_for_the_same_target_alone() -> None:
    one, other, further = (
        manifest_of("AuthorizationPolicy", name, {"targetRefs": [{"kind": "Service", "name": host}], "rules": [{}]})
        for name, host in (("one", "cart"), ("other", "cart"), ("further", "front"))
    )
    wide = manifest_of("AuthorizationPolicy", "wide", {"rules": [{}]})
    opened = "access rules loosened | AuthorizationPolicy shop/one"
    rest = [{}, {"wide": wide}, {"further": further}, {"wide": wide, "other": other}]
    said = [found([one, *more.values()], [*more.values()]) for more in rest]
    assert said == [[opened], [opened], [opened], []]
