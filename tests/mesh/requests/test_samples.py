"""Samples: every rule of two meshes, every overlap of two rules, and what is left for the default are asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from mesh.requests import comparison, samples
from tests.faults import policy
from tests.mesh.requests.test_comparison import mesh
from tests.mesh.requests.test_requests import TRUSTING
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to

BANK = (
    manifest_of("Namespace", "bank", labels={"istio-injection": "enabled"}),
    deployment("teller", {"app": "teller"}, "bank", serviceAccountName="teller"),
)


def asked(old: Sequence[Manifest], new: Sequence[Manifest]) -> list[str]:
    return [str(sample) for sample in samples.between(mesh(*old), mesh(*new)).requests]


def shifts(old: Sequence[Manifest], new: Sequence[Manifest]) -> list[str]:
    """The changed answers, without the parts that both have."""
    return [str(change).replace("; 2 retries", "") for change in comparison.changes(mesh(*old), mesh(*new))]


def ruled(*matches: Any, last: str = "v1") -> Manifest:
    """Routes of the cart: each match to v2, all else to `last`."""
    return routes("cart", *(to("cart", "v2", match=[match]) for match in matches), to("cart", last))


def allowed(operation: Any = None, **rule: Any) -> Manifest:
    """An AuthorizationPolicy of the cart that allows one rule."""
    chosen = {"matchLabels": {"app": "cart"}}
    body = {**({"to": [{"operation": operation}]} if operation else {}), **rule}
    return manifest_of("AuthorizationPolicy", "cart", {"selector": chosen, "rules": [body]})


@pytest.mark.parametrize(
    ("match", "request_"),
    [
        ({"uri": {"exact": "/a"}}, "cart/a"),
        ({"uri": {"prefix": "/a"}}, "cart/a0"),
        ({"uri": {"regex": "/a/[0-9]+"}}, "cart/a/0"),
        ({"uri": {"exact": "/a"}, "ignoreUriCase": True}, "cart/A"),
        ({"method": {"exact": "POST"}}, "POST cart/"),
        ({"method": {"regex": "PUT|PATCH"}}, "PATCH cart/"),
        ({"headers": {"end-user": {"exact": "jason"}}}, "cart/ with end-user: jason"),
        ({"headers": {"X-Canary": {"exact": "true"}}}, "cart/ with x-canary: true"),
        ({"headers": {"end-user": {"prefix": "ja"}}}, "cart/ with end-user: ja0"),
        ({"headers": {"end-user": {}}}, "cart/ with end-user: any"),
        ({"headers": {"user-agent": {"regex": ".*Chrome/[0-9]{2}.*"}}}, "cart/ with user-agent: Chrome/00"),
        ({"headers": {"x": {"regex": "(?i)yes"}}}, "cart/ with x: yes"),
        ({"headers": {"x": {"regex": r"[[:alpha:]]+\d\z"}}}, "cart/ with x: a0"),
        ({"headers": {"cookie": {"regex": r"^(.*?;)?(user=jason)(;.*)?$"}}}, "cart/ with cookie: user=jason"),
        ({"headers": {":authority": {"exact": "cart.shop"}}}, "cart.shop/"),
        ({"withoutHeaders": {"x": {}}}, "cart/ with x: any"),
        ({"withoutHeaders": {"x": {"exact": "1"}}}, "cart/ with x: 1"),
        ({"withoutHeaders": {"x": {"exact": "1"}}}, "cart/ with x: any"),
        ({"queryParams": {"beta": {"exact": "1"}}}, "cart/?beta=1"),
        ({"queryParams": {"beta": {"regex": "[a-c]"}}}, "cart/?beta=a"),
        ({"authority": {"exact": "cart.shop"}}, "cart.shop/"),
        ({"authority": {"prefix": "cart.shop.svc"}}, "cart.shop.svc.cluster.local/"),
    ],
)
def test_a_request_is_asked_that_meets_a_match(match: Manifest, request_: str) -> None:
    assert f"{request_} from front" in asked([], [ruled(match)])


@pytest.mark.parametrize(
    ("rule", "request_"),
    [
        ({"to": [{"operation": {"paths": ["/a/*"]}}]}, "cart/a/0"),
        ({"to": [{"operation": {"paths": ["*.json"]}}]}, "cart/0.json"),
        ({"to": [{"operation": {"paths": ["/a", "/b"]}}]}, "cart/b"),
        ({"to": [{"operation": {"notPaths": ["/a", "/b"]}}]}, "cart/b"),
        ({"to": [{"operation": {"methods": ["POST"]}}]}, "POST cart/"),
        ({"to": [{"operation": {"notMethods": ["POST"]}}]}, "POST cart/"),
        ({"to": [{"operation": {"methods": ["GET"]}}]}, "POST cart/"),
        ({"to": [{"operation": {"hosts": ["cart.shop"]}}]}, "cart.shop/"),
        ({"from": [{"source": {"requestPrincipals": ["a/b"]}}]}, "cart/ with a token of a/b"),
        ({"from": [{"source": {"notRequestPrincipals": ["*"]}}]}, "cart/ with a token of issuer/any"),
        ({"from": [{"source": {"remoteIpBlocks": ["10.1.0.0/16"]}}]}, "cart/ from address 10.1.0.1"),
        ({"when": [{"key": "request.headers[X-A]", "values": ["1*"]}]}, "cart/ with x-a: 1"),
        ({"when": [{"key": "request.headers[x]", "notValues": ["1"]}]}, "cart/ with x: 1"),
        (
            {"when": [{"key": "request.auth.claims[group]", "values": ["admin"]}]},
            "cart/ with a token of issuer/any with the claim group: admin",
        ),
        ({"when": [{"key": "request.auth.principal", "values": ["a/b"]}]}, "cart/ with a token of a/b"),
    ],
)
def test_a_request_is_asked_that_meets_an_authorization_rule(rule: Manifest, request_: str) -> None:
    assert f"{request_} from front" in asked([], [allowed(**rule)])


@pytest.mark.parametrize(
    ("claim", "request_"),
    [
        ("@request.auth.claims.group", "with a token of issuer/any with the claim group: staff"),
        ("@request.auth.claims[team][id]", "with a token of issuer/any with the claim team[id]: staff"),
        ("@request.auth.claims[sub]", "with a token of issuer/staff"),
        ("@request.auth.claims[iss]", "with a token of staff/any"),
    ],
)
def test_a_token_is_asked_with_the_claim_that_a_route_wants(claim: str, request_: str) -> None:
    match = {"headers": {claim: {"exact": "staff"}}}
    by_claim = routes("visitors", to("cart", match=[match]), to("front"), hosts=["shop.example.com"])
    by_claim["spec"]["gateways"] = ["way-in"]
    assert f"shop.example.com/ {request_} through ingress" in asked([], [by_claim])


def test_a_token_has_an_issuer_and_a_subject() -> None:
    said = asked([], [allowed(**{"from": [{"source": {"requestPrincipals": ["a/*", "*/b"]}}]})])
    tokens = {token for request in said for token in re.findall("with a token of ([^ ]+)", request)}
    assert tokens
    assert all(issuer and subject for issuer, _, subject in (token.rpartition("/") for token in tokens))


def test_two_rules_that_overlap_and_are_swapped_change_the_requests_that_meet_both() -> None:
    path = to("cart", "v1", match=[{"uri": {"prefix": "/reviews/"}}])
    user = to("cart", "v2", match=[{"headers": {"end-user": {"exact": "jason"}}}])
    before, after = ([routes("cart", *order, to("cart"))] for order in ((path, user), (user, path)))
    assert shifts(before, after) == [
        "cart/reviews/ with end-user: jason from front: cart v1 → cart v2",
        "cart/reviews/0 with end-user: jason from front: cart v1 → cart v2",
    ]


def test_a_rule_of_before_and_one_of_after_are_asked_together() -> None:
    jason, path = {"headers": {"end-user": {"exact": "jason"}}}, {"uri": {"exact": "/a"}}
    assert "cart/a with end-user: jason from front" in asked([ruled(jason)], [ruled(path)])


def test_two_cookies_are_asked_together() -> None:
    one, other = ({"headers": {"cookie": {"regex": rf"(.*;\s*)?{name}=1(;.*)?"}}} for name in "ab")
    assert any("a=1;b=1" in request for request in asked([], [ruled(one, other)]))


def test_a_rule_that_gets_a_further_condition_is_asked_without_it() -> None:
    before, after = ruled({"uri": {"exact": "/a"}}), ruled({"uri": {"exact": "/a"}, "method": {"exact": "GET"}})
    assert shifts([before], [after]) == ["POST cart/a from front: cart v2 → cart v1"]


def test_what_is_left_for_the_default_is_asked() -> None:
    root = {"uri": {"exact": "/"}, "method": {"exact": "GET"}}
    assert shifts([ruled(root)], [ruled(root, last="v2")]) == [
        "POST cart/ from front: cart v1 → cart v2",
        "cart/any from front: cart v1 → cart v2",
    ]


def test_a_path_that_shuts_everybody_out_is_a_change() -> None:
    before, after = allowed({"paths": ["/ratings/*"]}), allowed({"paths": ["ratings/*"]})
    assert {request.partition(" from")[0] for request in shifts([before], [after])} == {
        "cart/ratings/",
        "cart/ratings/0",
    }


def test_a_path_is_asked_as_clients_write_it_before_a_rewrite() -> None:
    route = to("cart", "v2", match=[{"uri": {"prefix": "/shop/"}}], rewrite={"uri": "/"})
    both = [[routes("cart", route, to("cart")), allowed({"paths": [path]})] for path in ("/x", "/y")]
    assert {line.partition(" from")[0] for line in shifts(*both)} >= {"cart/shop/x", "cart/shop/y"}


def test_callers_that_a_policy_of_the_root_namespace_names_are_asked() -> None:
    banned = policy("ban", {"principals": ["cluster.local/ns/bank/sa/clerk"]})
    banned["metadata"]["namespace"], banned["spec"]["action"] = "istio-system", "DENY"
    del banned["spec"]["selector"]
    clerk = deployment("clerk", {"app": "clerk"}, "bank", serviceAccountName="clerk")
    lax = policy("cart", {"notNamespaces": ["x"]})
    lines = shifts([*BANK, clerk, lax], [*BANK, clerk, lax, banned])
    host = "cart.shop.svc.cluster.local/"
    assert f"{host} from clerk: cart v1 → 403 (AuthorizationPolicy istio-system/ban denies it)" in lines
    assert not any("from teller" in line for line in lines)


def test_a_caller_of_another_namespace_is_asked() -> None:
    before, after = policy("cart", {"namespaces": ["shop"]}), policy("cart", {"namespaces": ["shop", "bank"]})
    denied = "403 (AuthorizationPolicy shop/cart does not allow it)"
    host = "cart.shop.svc.cluster.local/"
    assert f"{host} from teller: {denied} → cart v1" in shifts([*BANK, before], [*BANK, after])


def test_a_caller_is_asked_whose_labels_a_route_names() -> None:
    pods = [deployment(f"app-{n}", {"app": f"app-{n}"}, serviceAccountName=f"app-{n}") for n in range(30)]
    lax = policy("cart", {"notNamespaces": ["x"]})
    change = ruled({"sourceLabels": {"app": "app-29"}})
    assert "cart/ from app-29: cart v1 → cart v2" in shifts([*pods, lax, ruled()], [*pods, lax, change])


def test_hosts_of_a_gateway_without_routes_are_asked() -> None:
    wide = gateway("way-in", server(80, ["*"]), server(8443, ["a.example.com"]))
    assert {"any.example.com/ through ingress", "a.example.com:8443/ through ingress"} <= set(asked([], [wide]))


def test_rules_of_gateways_and_of_the_pods_behind_are_asked_together() -> None:
    open_ = policy("front", {"notNamespaces": ["x"]}, app="front")
    open_["spec"]["rules"] = [{"to": [{"operation": {"methods": ["PUT"]}}]}]
    change = routes(
        "visitors",
        to("cart", match=[{"uri": {"exact": "/a"}}]),
        to("front"),
        hosts=["shop.example.com"],
        gateways=["way-in"],
    )
    assert "PUT shop.example.com/a through ingress" in asked([open_], [open_, change])


@pytest.mark.parametrize("block", ["198.51.100.7", "[secret]{mesh:objects[0].spec.rules#3fa2c1}"])
def test_rules_for_several_networks_are_asked_together(block: str) -> None:
    sources = [
        {"source": {"remoteIpBlocks": ["192.0.2.1"], "notRemoteIpBlocks": [block]}},
        {"source": {"ipBlocks": [block]}},
    ]
    both = [allowed({"paths": ["/a"]}, **{"from": [source]}) for source in sources]
    both[1] = {**both[1], "metadata": {**both[1]["metadata"], "name": "other"}}
    assert any("192.0.2.1" in line for line in asked([], both))


def test_a_change_behind_a_load_balancer_that_ends_tls_is_asked_with_the_clients_scheme() -> None:
    way = gateway("way-in", server(80, ["shop.example.com"], tls={"httpsRedirect": True}))
    moved = routes("visitors", to("cart"), hosts=["shop.example.com"], gateways=["way-in"])
    (changed,) = shifts([way, TRUSTING], [way, TRUSTING, moved])
    assert changed.startswith("shop.example.com/ with x-forwarded-proto: https through ingress: front → 403")


def test_other_shares_of_connections_are_a_change() -> None:
    def connections(v1: int) -> Manifest:
        shares = {"v1": v1, "v2": 100 - v1}
        route = [{"destination": {"host": "cart", "subset": name}, "weight": share} for name, share in shares.items()]
        return manifest_of("VirtualService", "cart", {"hosts": ["cart"], "tcp": [{"route": route}]})

    changed = shifts([connections(90)], [connections(50)])
    assert any("90 % cart v1, 10 % cart v2" in one and "50 % cart v1, 50 % cart v2" in one for one in changed)


def test_a_rule_for_which_no_request_was_found_is_said() -> None:
    found = comparison.compare(mesh(), mesh(ruled({"headers": {"x": {"regex": r"\p{Greek}+"}}})))
    assert list(found.missing) == [
        "cart, requests for VirtualService shop/cart http[0]: nothing was found that its regular expression matches"
    ]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [("v1|v2", "v3|v4", 0), ("/a/[0-9]+", "/b/.*", 0), (".*[0-9]x", "[ab]+", 1), ("v[12]", "v2|v3", 0)],
)
def test_two_expressions_that_may_overlap_are_said_and_those_that_cannot_are_not(
    one: str, other: str, said: int
) -> None:
    matches = [{"headers": {"x": {"regex": text}}} for text in (one, other)]
    assert len(comparison.compare(mesh(), mesh(ruled(*matches))).missing) == said


def test_conditions_that_contradict_each_other_are_not_asked() -> None:
    users = [{"headers": {"end-user": {"exact": name}}} for name in ("jason", "anna")]
    assert not any("jason" in line and "anna" in line for line in asked([], [ruled(*users)]))
    assert comparison.compare(mesh(), mesh(ruled(*users))).missing == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (manifest_of("EnvoyFilter", "limit", {"configPatches": []}), "EnvoyFilter shop/limit"),
        (manifest_of("RequestAuthentication", "jwt", {}), "RequestAuthentication shop/jwt"),
        (manifest_of("Sidecar", "few", {"egress": [{"hosts": ["./*"]}]}), "Sidecar shop/few"),
        (
            routes("db", to("cart"), tcp=[{"route": [{"destination": {"host": "cart"}}]}], hosts=["cart"]),
            "VirtualService shop/db tcp",
        ),
        (
            manifest_of(
                "VirtualService",
                "db",
                {
                    "hosts": ["cart"],
                    "tcp": [
                        {
                            "match": [{"destinationSubnets": ["10.0.0.0/8"]}],
                            "route": [{"destination": {"host": "cart"}}],
                        }
                    ],
                },
            ),
            "VirtualService shop/db, destinationSubnets",
        ),
        (
            allowed(when=[{"key": "connection.sni", "values": ["x"]}]),
            "AuthorizationPolicy shop/cart, connection.sni",
        ),
    ],
)
def test_changes_of_what_is_not_evaluated_are_said(changed: Manifest, said: str) -> None:
    assert said in comparison.compare(mesh(), mesh(changed)).missing


def test_a_host_with_very_many_rules_says_that_their_pairs_are_not_asked() -> None:
    many = ruled(*({"uri": {"exact": f"/{i}"}} for i in range(50)))
    (said,) = comparison.compare(mesh(), mesh(many)).missing
    assert said.startswith("cart, requests that meet several of its ")


def test_wildcard_hosts_and_hosts_that_only_routes_know_are_asked() -> None:
    entry = manifest_of(
        "ServiceEntry",
        "out",
        {
            "hosts": ["*.example.com"],
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            "resolution": "NONE",
        },
    )
    alias = routes("alias", to("cart"), hosts=["basket.example.net"])
    found = asked([], [entry, alias, service("front")])
    assert {"any.example.com/ from cart-v1", "basket.example.net/ from front"} <= set(found)
