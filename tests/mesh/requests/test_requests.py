"""The evaluator: outcomes of requests, from the objects of a mesh alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mesh import releases
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Fault, Outcome, Request
from tests import meshes
from tests.faults import TOKENS, cart_rule, entry, policy, sidecar
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to


def evaluator(*objects: Manifest, release: str = "") -> Evaluator:
    names = replace(DEFAULT_NAMES, release=release)
    return Evaluator(Mesh([Object.read(manifest) for manifest in meshes.changed(objects)], names))


def workload(mesh_evaluator: Evaluator, name: str) -> Workload:
    return next(pod for pod in mesh_evaluator.mesh.workloads.all if pod.object.name == name)


def called(*objects: Manifest, host: str = "cart", by: str = "front", **request: Any) -> Outcome:
    """The outcome of a request that a workload sends."""
    mesh_evaluator = evaluator(*objects)
    return mesh_evaluator.from_workload(Request(host=host, **request), workload(mesh_evaluator, by))


def visited(*objects: Manifest, host: str = "shop.example.com", **request: Any) -> Outcome:
    """The outcome of a request from outside."""
    mesh_evaluator = evaluator(*objects)
    return mesh_evaluator.from_outside(Request(host=host, **request), workload(mesh_evaluator, "ingress"))


def shares(outcome: Outcome) -> list[tuple[str, float, tuple[str, ...]]]:
    return [(receiver.subset, receiver.share, receiver.workloads) for receiver in outcome.receivers]


def matching(**match: Any) -> Sequence[Manifest]:
    """Routes to v2 for a match, to v1 otherwise."""
    return [routes("cart", to("cart", "v2", match=[match]), to("cart", "v1"))]


@pytest.mark.parametrize(
    ("match", "request_", "yes"),
    [
        ({"uri": {"prefix": "/new"}}, {"path": "/newer"}, True),
        ({"uri": {"prefix": "/new"}}, {"path": "/old"}, False),
        ({"uri": {"exact": "/new"}}, {"path": "/new?a=1"}, True),
        ({"uri": {"exact": "/new"}}, {"path": "/new/"}, False),
        ({"uri": {"exact": "/NEW"}, "ignoreUriCase": True}, {"path": "/new"}, True),
        ({"uri": {"prefix": "/new"}, "ignoreUriCase": True}, {"path": "/NEWS"}, True),
        ({"uri": {"regex": "/n.w"}}, {"path": "/new"}, True),
        ({"uri": {"regex": "/n"}}, {"path": "/new"}, False),
        ({"method": {"exact": "POST"}}, {"method": "POST"}, True),
        ({"method": {"exact": "POST"}}, {}, False),
        ({"headers": {"end-user": {"exact": "jason"}}}, {"headers": {"end-user": "jason"}}, True),
        ({"headers": {"end-user": {"exact": "jason"}}}, {}, False),
        ({"headers": {"end-user": {}}}, {"headers": {"end-user": "x"}}, True),
        (
            {"headers": {"cookie": {"regex": r"^(.*?;)?(user=jason)(;.*)?$"}}},
            {"headers": {"cookie": "a=1;user=jason"}},
            True,
        ),
        ({"withoutHeaders": {"x": {}}}, {}, True),
        ({"withoutHeaders": {"x": {}}}, {"headers": {"x": "1"}}, False),
        ({"queryParams": {"a": {"exact": "1"}}}, {"path": "/?a=1"}, True),
        ({"queryParams": {"a": {"exact": "1"}}}, {"path": "/?a=2"}, False),
        ({"port": 80}, {}, True),
        ({"port": 81}, {}, False),
        ({"sourceLabels": {"app": "front"}}, {}, True),
        ({"sourceLabels": {"app": "back"}}, {}, False),
        ({"sourceNamespace": "shop"}, {}, True),
        ({"sourceNamespace": "bank"}, {}, False),
        ({"gateways": ["mesh"]}, {}, True),
        ({"gateways": ["way-in"]}, {}, False),
        ({"authority": {"exact": "cart"}}, {}, True),
        ({"scheme": {"exact": "https"}}, {}, False),
    ],
)
def test_a_route_takes_the_requests_that_meet_its_match(match: Any, request_: Any, yes: bool) -> None:
    outcome = called(*matching(**match), **request_)
    assert [receiver.subset for receiver in outcome.receivers] == ["v2" if yes else "v1"]
    assert outcome.rule == f"VirtualService shop/cart http[{0 if yes else 1}]"


@pytest.mark.parametrize("host", ["cart", "cart.shop", "cart.shop.svc", "cart.shop.svc.cluster.local", "CART"])
def test_a_host_may_be_written_in_any_form_that_dns_resolves(host: str) -> None:
    assert shares(called(host=host)) == [("v1", 1.0, ("cart-v1",))]


def test_weights_become_shares() -> None:
    parts = [{"destination": {"host": "cart", "subset": f"v{i}"}, "weight": w} for i, w in ((1, 90), (2, 10))]
    assert shares(called(routes("cart", {"route": parts}))) == [("v1", 0.9, ("cart-v1",)), ("v2", 0.1, ("cart-v2",))]


def test_a_destination_of_weight_0_gets_no_requests() -> None:
    parts = [{"destination": {"host": "cart", "subset": f"v{i}"}, "weight": w} for i, w in ((1, 100), (2, 0))]
    assert shares(called(routes("cart", {"route": parts}))) == [("v1", 1.0, ("cart-v1",))]


def test_a_destination_without_a_weight_beside_a_weighted_one_gets_no_requests() -> None:
    cart = [{"destination": {"host": "cart", "subset": f"v{i}"}} for i in (1, 2)]
    assert shares(called(routes("cart", {"route": [{**cart[0], "weight": 100}, cart[1]]}))) == [
        ("v1", 1.0, ("cart-v1",))
    ]


def test_requests_to_a_service_without_routes_go_to_all_its_pods() -> None:
    outcome = called(host="front", by="cart-v1")
    assert shares(outcome) == [("", 1.0, ("front",))]
    assert outcome.attempts == 2  # Istio's own default


def test_a_request_that_no_route_takes_gets_404() -> None:
    assert called(routes("cart", to("cart", match=[{"uri": {"prefix": "/a"}}]))).status == 404


def test_an_outcome_has_timeout_retries_faults_and_mirror() -> None:
    fault = {
        "delay": {"fixedDelay": "7s", "percentage": {"value": 50}},
        "abort": {"httpStatus": 500, "percentage": {"value": 0.5}},
    }
    more = {"timeout": "3s", "retries": {"attempts": 4}, "fault": fault}
    mirror = {"mirror": {"host": "cart", "subset": "v2"}, "mirrorPercentage": {"value": 20}}
    outcome = called(routes("cart", to("cart", "v1", **more, **mirror)))
    assert outcome.faults == (Fault(share=0.5, delay="7s"), Fault(share=0.005, status=500))
    assert (outcome.timeout, outcome.attempts) == ("3s", 4)
    assert [(mirror.subset, mirror.share) for mirror in outcome.mirrors] == [("v2", 0.2)]


def test_an_outcome_has_each_of_several_mirrors_that_get_copies() -> None:
    copies = [
        {"destination": {"host": "cart", "subset": "v2"}},
        {"destination": {"host": "front"}, "percentage": {"value": 5}},
        {"destination": {"host": "cart"}, "percentage": {"value": 0}},
    ]
    outcome = called(routes("cart", to("cart", "v1", mirrors=copies)))
    assert [(mirror.workloads, mirror.share) for mirror in outcome.mirrors] == [(("cart-v2",), 1.0), (("front",), 0.05)]


def test_a_fault_without_percentage_applies_to_no_request() -> None:
    outcome = called(routes("cart", to("cart", "v1", fault={"abort": {"httpStatus": 500}})))
    assert outcome.faults == (Fault(share=0.0, status=500),)


def test_a_redirect_is_answered_by_the_proxy() -> None:
    outcome = called(routes("cart", {"redirect": {"uri": "/x", "redirectCode": 302}}))
    assert (outcome.status, outcome.location) == (302, "http://cart/x")


@pytest.mark.parametrize(("match", "path"), [({"prefix": "/a"}, "/b/c"), ({"exact": "/a/c"}, "/b")])
def test_a_rewrite_replaces_the_matched_prefix_or_the_whole_path(match: Manifest, path: str) -> None:
    route = to("cart", "v1", match=[{"uri": match}], rewrite={"uri": "/b"})
    outcome = called(routes("cart", route), path="/a/c")
    assert outcome.request
    assert outcome.request.path == path


@pytest.mark.parametrize(
    ("match", "rewrite", "path", "host"),
    [
        ([], {"uri": "/b"}, "/ba/c?x=1", "cart:8080"),
        ([{"method": {"exact": "GET"}}], {"uri": "/b/"}, "/b/a/c?x=1", "cart:8080"),
        ([{"uri": {"exact": "/a/c"}}], {"uri": "/b"}, "/b?x=1", "cart:8080"),
        ([{"uri": {"regex": "/a/.*"}}], {"uri": "/b"}, "/b?x=1", "cart:8080"),
        ([{"uri": {"prefix": "/a/"}}], {"uri": "/b/", "authority": "other"}, "/b/c?x=1", "other"),
    ],
)
def test_a_rewrite_keeps_the_query_and_without_a_path_replaces_the_root(
    match: list[Manifest], rewrite: Manifest, path: str, host: str
) -> None:
    ports = [{"name": "http", "port": 8080, "targetPort": 8080, "protocol": "TCP"}]
    route = to("cart", "v1", match=match, rewrite=rewrite)
    sent = called(service("cart", ports), routes("cart", route), path="/a/c?x=1", port=8080).request
    assert sent
    assert (sent.path, sent.authority) == (path, host)


def test_a_redirect_keeps_the_query_unless_it_has_one() -> None:
    assert called(routes("cart", {"redirect": {"uri": "/x"}}), path="/a?b=1").location == "http://cart/x?b=1"
    assert called(routes("cart", {"redirect": {"uri": "/x?y=2"}}), path="/a?b=1").location == "http://cart/x?y=2"


@pytest.mark.parametrize("name", ["X-Canary", "x-canary", "X-CANARY"])
def test_names_of_headers_are_compared_without_case(name: str) -> None:
    for sent in ("x-canary", "X-Canary"):
        outcome = called(*matching(headers={name: {"exact": "true"}}), headers={sent: "true"})
        assert [receiver.subset for receiver in outcome.receivers] == ["v2"]


def test_policies_see_the_headers_that_a_route_sets() -> None:
    allowed = {
        "selector": {"matchLabels": {"app": "cart"}},
        "rules": [{"when": [{"key": "request.headers[X-Way]", "values": ["front"]}]}],
    }
    cart = manifest_of("AuthorizationPolicy", "cart", allowed)
    for operation, status in (({"set": {"x-way": "front"}}, 200), ({"remove": ["X-Way"]}, 403)):
        route = to("cart", "v1", headers={"request": operation})
        (receiver,) = called(cart, routes("cart", route), headers={"x-way": "front"}).receivers
        assert receiver.status == status


def test_an_authority_has_the_port_that_is_not_the_usual_one() -> None:
    ports = [{"name": "http", "port": 8080, "targetPort": 8080, "protocol": "TCP"}]
    rule = matching(authority={"exact": "cart:8080"})
    assert [r.subset for r in called(service("cart", ports), *rule, port=8080).receivers] == ["v2"]


def test_a_claim_of_a_token_is_compared() -> None:
    condition = {"key": "request.auth.claims[group]", "values": ["admin"]}
    rules = {"selector": {"matchLabels": {"app": "cart"}}, "rules": [{"when": [condition]}]}
    cart = manifest_of("AuthorizationPolicy", "cart", rules)
    for claims, status in (({"group": "admin"}, 200), ({"group": "x"}, 403), ({}, 403)):
        assert called(cart, claims=claims).receivers[0].status == status


def test_a_delegate_routes_requests_that_meet_both_matches() -> None:
    root = routes("cart", {"match": [{"uri": {"prefix": "/a"}}], "delegate": {"name": "part"}}, to("cart", "v1"))
    part = manifest_of("VirtualService", "part", {"http": [to("cart", "v2", match=[{"uri": {"prefix": "/a/b"}}])]})
    assert [r.subset for r in called(root, part, path="/a/b").receivers] == ["v2"]
    assert [r.subset for r in called(root, part, path="/a/c").receivers] == ["v1"]


def test_a_delegates_route_inherits_the_roots_fields_that_it_does_not_set() -> None:
    root = {
        "match": [{"uri": {"prefix": "/a"}}],
        "delegate": {"name": "part"},
        "timeout": "1s",
        "rewrite": {"uri": "/x"},
    }
    part = manifest_of("VirtualService", "part", {"http": [to("cart", "v2", retries={"attempts": 1})]})
    outcome = called(routes("cart", root), part, path="/a/b")
    assert (outcome.timeout, outcome.attempts) == ("1s", 1)
    assert outcome.request
    assert outcome.request.path == "/x/b"


def test_routes_apply_in_another_namespace_only_if_exported_to_it() -> None:
    there = routes("cart", to("cart", "v2"), hosts=["cart.shop.svc.cluster.local"], exportTo=["."])
    bank = deployment("teller", {"app": "teller"}, "bank")
    namespace = manifest_of("Namespace", "bank", labels={"istio-injection": "enabled"})
    outcome = called(there, bank, namespace, host="cart.shop", by="teller")
    assert outcome.rule == ""


def test_routes_that_are_not_exported_apply_in_their_own_namespace() -> None:
    assert shares(called(routes("cart", to("cart", "v2"), exportTo=["."]))) == [("v2", 1.0, ("cart-v2",))]


def test_an_unknown_subset_gets_503() -> None:
    (receiver,) = called(routes("cart", to("cart", "v3"))).receivers
    assert (receiver.status, receiver.reason) == (503, "cart.shop.svc.cluster.local has no subset v3")


def test_requests_to_an_unknown_host_pass_unless_outbound_traffic_is_registry_only() -> None:
    mesh_config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}}
    refusing = {**mesh_config, "data": {"mesh": "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}}
    assert called(host="example.com").status == 200
    assert called(refusing, host="example.com").status == 502


def test_a_wildcard_of_a_service_entry_matches_a_host() -> None:
    outcome = called(entry("bank", "HTTP", host="*.example.com"), host="a.example.com", port=443)
    assert [receiver.host for receiver in outcome.receivers] == ["*.example.com"]
    assert not outcome.receivers[0].mutual


def test_an_allow_policy_denies_callers_that_it_does_not_name() -> None:
    (allowed,) = called().receivers
    (refused,) = called(policy("cart", {"principals": ["cluster.local/ns/shop/sa/other"]})).receivers
    assert (allowed.status, allowed.mutual) == (200, True)
    assert (refused.status, refused.reason) == (403, "AuthorizationPolicy shop/cart does not allow it")


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"to": [{"operation": {"methods": ["GET"]}}]}, 403),
        ({"to": [{"operation": {"methods": ["POST"]}}]}, 200),
        ({"to": [{"operation": {"paths": ["/a*"]}}]}, 403),
        ({"to": [{"operation": {"paths": ["*/b"]}}]}, 403),
        ({"to": [{"operation": {"notPaths": ["/a/*"]}}]}, 200),
        ({"to": [{"operation": {"ports": ["8080"]}}]}, 403),
        ({"to": [{"operation": {"ports": ["80"]}}]}, 200),
        ({"from": [{"source": {"namespaces": ["sh*"]}}]}, 403),
        ({"from": [{"source": {"notNamespaces": ["shop"]}}]}, 200),
        ({"from": [{"source": {"requestPrincipals": ["*"]}}]}, 200),
        ({"from": [{"source": {"ipBlocks": ["10.0.0.0/8"]}}]}, 403),
        ({"when": [{"key": "request.headers[x]", "values": ["1"]}]}, 403),
        ({"when": [{"key": "request.headers[x]", "notValues": ["1"]}]}, 200),
        ({"when": [{"key": "source.namespace", "values": ["shop"]}]}, 403),
        ({}, 403),
    ],
)
def test_a_deny_policy_denies_the_requests_that_match_its_rule(rule: Manifest, status: int) -> None:
    denial = {"selector": {"matchLabels": {"app": "cart"}}, "action": "DENY", "rules": [rule]}
    asked: dict[str, Any] = {"path": "/a/b", "headers": {"x": "1"}, "address": "10.1.2.3"}
    (receiver,) = called(manifest_of("AuthorizationPolicy", "deny", denial), **asked).receivers
    assert receiver.status == status


def test_an_allow_policy_without_rules_denies_every_request() -> None:
    (receiver,) = called(manifest_of("AuthorizationPolicy", "none", {}), host="front", by="cart-v1").receivers
    assert receiver.status == 403


def test_a_pod_without_a_sidecar_does_not_enforce_policies() -> None:
    plain = deployment("front", {"app": "front"}, annotations={"sidecar.istio.io/inject": "false"})
    (receiver,) = called(plain, manifest_of("AuthorizationPolicy", "none", {}), host="front", by="cart-v1").receivers
    assert receiver.status == 200


def test_a_caller_without_a_sidecar_has_no_identity_and_cannot_call_strict_workloads() -> None:
    batch = deployment("batch", {"app": "batch"}, annotations={"sidecar.istio.io/inject": "false"})
    lax = manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}})
    (strict,) = called(batch, by="batch").receivers
    (permissive,) = called(batch, lax, by="batch").receivers
    assert (strict.status, strict.reason) == (0, "it requires mutual TLS")
    assert (permissive.status, permissive.mutual) == (403, False)  # the policy requires an authenticated caller


def test_plain_text_to_a_strict_workload_fails() -> None:
    (receiver,) = called(cart_rule(trafficPolicy={"tls": {"mode": "DISABLE"}})).receivers
    assert receiver.status == 503


def test_the_most_specific_mtls_mode_applies_and_a_port_may_have_its_own() -> None:
    own = {"selector": {"matchLabels": {"app": "cart"}}, "mtls": {"mode": "PERMISSIVE"}}
    batch = deployment("batch", {"app": "batch"}, annotations={"sidecar.istio.io/inject": "false"})
    anyone = policy("cart", {"notNamespaces": ["x"]})
    (receiver,) = called(batch, anyone, manifest_of("PeerAuthentication", "cart", own), by="batch").receivers
    assert receiver.status == 200
    port = {**own, "portLevelMtls": {"8080": {"mode": "STRICT"}}}
    (receiver,) = called(batch, anyone, manifest_of("PeerAuthentication", "cart", port), by="batch").receivers
    assert receiver.status == 0


def test_a_request_from_outside_goes_through_gateway_and_route_to_pods() -> None:
    outcome = visited()
    assert (outcome.rule, shares(outcome)) == ("VirtualService shop/visitors http[0]", [("", 1.0, ("front",))])


def test_a_host_without_a_virtual_service_gets_404() -> None:
    assert visited(host="other.example.com").status == 404


def test_a_port_on_which_no_gateway_listens_refuses_connections() -> None:
    assert visited(secure=True, port=443).status == 0
    assert visited(port=81).status == 0


def test_a_handshake_with_a_name_that_no_server_has_is_refused() -> None:
    other = server(443, ["other.example.com"], "HTTPS", tls={"mode": "SIMPLE", "credentialName": "x"})
    found = visited(gateway("way-in", server(80, ["*"]), other), secure=True, port=443)
    assert (found.status, found.reason) == (0, "no Gateway has a server for shop.example.com on port 443 for https")


def test_https_redirect_redirects_plain_requests() -> None:
    both = gateway(
        "way-in",
        server(80, ["shop.example.com"], tls={"httpsRedirect": True}),
        server(443, ["shop.example.com"], "HTTPS", tls={"mode": "SIMPLE", "credentialName": "x"}),
    )
    assert visited(both, path="/a").location == "https://shop.example.com/a"
    assert shares(visited(both, secure=True, port=443)) == [("", 1.0, ("front",))]


TRUSTING = manifest_of("ConfigMap", "istio", namespace="istio-system") | {
    "data": {"mesh": "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}"}
}


def test_a_gateway_redirects_by_the_scheme_that_a_load_balancer_says_if_it_trusts_it() -> None:
    plain = gateway("way-in", server(80, ["shop.example.com"], tls={"httpsRedirect": True}))
    by_https = {"x-forwarded-proto": "https"}
    assert visited(plain, headers=by_https).status == 301
    assert shares(visited(plain, TRUSTING, headers=by_https)) == [("", 1.0, ("front",))]
    assert visited(plain, TRUSTING).status == 301


def test_a_redirect_keeps_the_scheme_that_a_load_balancer_says() -> None:
    moved = routes("visitors", {"redirect": {"uri": "/new"}}, hosts=["shop.example.com"], gateways=["way-in"])
    by_https = {"x-forwarded-proto": "https"}
    assert visited(moved, headers=by_https).location == "http://shop.example.com/new"
    assert visited(moved, TRUSTING, headers=by_https).location == "https://shop.example.com/new"
    here = {"redirect": {"uri": "/new", "derivePort": "FROM_REQUEST_PORT"}}
    moved = routes("visitors", here, hosts=["shop.example.com"], gateways=["way-in"])
    assert visited(moved, TRUSTING, headers=by_https).location == "https://shop.example.com/new"


def test_connections_are_not_retried() -> None:
    for protocol, attempts in (("http", 2), ("tcp", 0)):
        store = service("store", ports=[{"name": protocol, "port": 6379, "targetPort": 6379, "protocol": "TCP"}])
        assert called(store, host="store", port=6379).attempts == attempts


def test_connections_are_routed_by_port_and_server_name() -> None:
    tcp = [
        {"match": [{"port": 81}], "route": [{"destination": {"host": "cart", "subset": "v2"}}]},
        {"route": [{"destination": {"host": "cart", "subset": name}, "weight": 50} for name in ("v1", "v2")]},
    ]
    whole = called(manifest_of("VirtualService", "cart", {"hosts": ["cart"], "tcp": tcp}))
    assert [(receiver.subset, receiver.share) for receiver in whole.receivers] == [("v1", 0.5), ("v2", 0.5)]
    assert (whole.rule, whole.attempts) == ("VirtualService shop/cart tcp[1]", 0)
    tls = [{"match": [{"sniHosts": ["cart"]}], "route": [{"destination": {"host": "cart", "subset": "v2"}}]}]
    named = manifest_of("VirtualService", "cart", {"hosts": ["cart", "cart.shop"], "tls": tls})
    assert [receiver.subset for receiver in called(named).receivers] == ["v2"]
    assert called(named, host="cart.shop").status == 0


def test_a_route_by_the_address_that_a_caller_connects_to_is_not_taken_as_that_is_unknown() -> None:
    tcp = [
        {
            "match": [{"destinationSubnets": ["10.0.0.0/8"]}],
            "route": [{"destination": {"host": "cart", "subset": "v2"}}],
        },
        {"route": [{"destination": {"host": "cart", "subset": "v1"}}]},
    ]
    found = called(manifest_of("VirtualService", "cart", {"hosts": ["cart"], "tcp": tcp}))
    assert [receiver.subset for receiver in found.receivers] == ["v1"]


def test_tls_that_a_gateway_passes_on_is_routed_by_server_name() -> None:
    passed = gateway("way-in", server(443, ["*"], "TLS", tls={"mode": "PASSTHROUGH"}))
    tls = [{"match": [{"sniHosts": ["shop.example.com"]}], "route": [{"destination": {"host": "front"}}]}]
    spec = {"hosts": ["*.example.com"], "gateways": ["way-in"], "tls": tls}
    routed = manifest_of("VirtualService", "visitors", spec)
    assert visited(passed, routed, secure=True, port=443).rule == "VirtualService shop/visitors tls[0]"
    assert visited(passed, routed, secure=True, port=443, host="x.example.com").status == 0


def edge_policy(action: str, **rule: Any) -> Manifest:
    spec = {"selector": {"matchLabels": {"istio": "ingress"}}, "action": action, "rules": [rule]}
    return manifest_of("AuthorizationPolicy", action.lower(), spec, "istio-system")


@pytest.mark.parametrize(
    ("action", "rule", "status"),
    [
        ("ALLOW", {"to": [{"operation": {"paths": ["/*"]}}]}, 403),
        ("ALLOW", {"to": [{"operation": {"notHosts": ["other"]}}]}, 403),
        ("ALLOW", {"when": [{"key": "request.headers[x]", "notValues": ["1"]}]}, 403),
        ("ALLOW", {"from": [{"source": {"ipBlocks": ["10.0.0.0/8"]}}]}, 200),
        ("DENY", {"to": [{"operation": {"paths": ["/never"]}}]}, 403),
        ("DENY", {"to": [{"operation": {"paths": ["/never"], "ports": ["9"]}}]}, 200),
        ("DENY", {"from": [{"source": {"requestPrincipals": ["*"], "ipBlocks": ["192.0.2.0/24"]}}]}, 200),
        ("DENY", {"when": [{"key": "request.headers[x]", "values": ["1"]}]}, 403),
    ],
)
def test_what_a_rule_asks_of_requests_allows_no_connection_and_is_not_asked_of_one_that_is_denied(
    action: str, rule: Manifest, status: int
) -> None:
    passed = gateway("way-in", server(443, ["*"], "TLS", tls={"mode": "PASSTHROUGH"}))
    tls = [{"match": [{"sniHosts": ["shop.example.com"]}], "route": [{"destination": {"host": "front"}}]}]
    spec = {"hosts": ["*.example.com"], "gateways": ["way-in"], "tls": tls}
    routed = manifest_of("VirtualService", "visitors", spec)
    found = visited(passed, routed, edge_policy(action, **rule), secure=True, port=443, address="10.1.2.3")
    assert (found.status if not found.receivers else 200) == status


def test_behind_a_load_balancer_the_client_is_a_remote_address_and_no_peer() -> None:
    for field, trusting, status in (
        ("ipBlocks", (), 403),
        ("remoteIpBlocks", (), 403),
        ("ipBlocks", (TRUSTING,), 200),
        ("remoteIpBlocks", (TRUSTING,), 403),
    ):
        rule = {"from": [{"source": {field: ["10.0.0.0/8"]}}]}
        found = visited(edge_policy("DENY", **rule), *trusting, address="10.1.2.3")
        assert (found.status if not found.receivers else 200) == status


def test_behind_a_gateway_the_peer_of_a_pod_is_the_gateway() -> None:
    for field, status in (("ipBlocks", 200), ("remoteIpBlocks", 403)):
        rule = {"from": [{"source": {field: ["10.0.0.0/8"]}}]}
        spec = {"selector": {"matchLabels": {"app": "front"}}, "action": "DENY", "rules": [rule]}
        (receiver,) = visited(manifest_of("AuthorizationPolicy", "deny", spec), address="10.1.2.3").receivers
        assert receiver.status == status


def test_a_gateway_that_requires_tokens_refuses_plain_requests_before_it_redirects_them() -> None:
    plain = gateway("way-in", server(80, ["shop.example.com"], tls={"httpsRedirect": True}))
    assert visited(plain, *TOKENS).status == 403
    assert visited(plain, *TOKENS, principal="https://a.example.com/me").status == 301


def test_the_most_specific_host_at_a_gateway_wins() -> None:
    wide = gateway("way-in", server(80, ["*"]))
    others = routes("others", to("cart", "v2"), hosts=["*.example.com"], gateways=["way-in"])
    assert [r.host for r in visited(wide, others).receivers] == ["front.shop.svc.cluster.local"]
    assert [r.subset for r in visited(wide, others, host="x.example.com").receivers] == ["v2"]


def test_a_gateway_serves_only_the_namespaces_that_it_names() -> None:
    assert visited(gateway("way-in", server(80, ["bank/shop.example.com"]))).status == 404


def test_a_gateway_may_name_the_pods_port() -> None:
    assert shares(visited(gateway("way-in", server(8080, ["shop.example.com"])))) == [("", 1.0, ("front",))]


def test_routes_for_sidecars_do_not_apply_at_gateways() -> None:
    through = routes("visitors", to("cart"), hosts=["shop.example.com"], gateways=["way-in"])
    lax = policy("cart", {"notNamespaces": ["x"]})
    assert shares(visited(through, lax)) == [("", 1.0, ("cart-v1", "cart-v2"))]


def test_unrelated_objects_do_not_change_an_outcome() -> None:
    assert called(sidecar("x", "front"), service("lonely")) == called()


def test_equal_meshes_give_equal_answers() -> None:
    assert visited() == visited()


def _visitors(*http: Manifest) -> Manifest:
    return routes("visitors", *http, hosts=["shop.example.com"], gateways=["way-in"])


OPEN = [gateway("way-in", server(80, ["shop.example.com"])), _visitors(to("front"))]
IN_RELEASES = {
    "a host in upper case": ({"hosts": ["SHOP.example.com"]}, {"1.10": 403, "1.30": 200}),
    "a host that ends alike": ({"hosts": ["*.EXAMPLE.com"]}, {"1.10": 403, "1.30": 200}),
    "a segment": ({"paths": ["/a/{*}/c"]}, {"1.10": 403, "1.30": 200}),
    "several segments": ({"paths": ["/{**}/c"]}, {"1.10": 403, "1.30": 200}),
    "fewer segments": ({"paths": ["/{*}/c"]}, {"1.10": 403, "1.30": 403}),
}


@pytest.mark.parametrize("release", releases.NAMES)
@pytest.mark.parametrize("case", IN_RELEASES)
def test_policies_compare_hosts_and_paths_as_the_release_does(case: str, release: str) -> None:
    operation, statuses = IN_RELEASES[case]
    spec = {"selector": {"matchLabels": {"istio": "ingress"}}, "rules": [{"to": [{"operation": operation}]}]}
    allowed = manifest_of("AuthorizationPolicy", "in", spec, "istio-system")
    found = evaluator(allowed, *OPEN, release=release)
    request = Request(host="shop.example.com", path="/a/b/c")
    outcome = found.from_outside(request, workload(found, "ingress"))
    assert outcome.status == statuses[release]


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ({"serviceAccounts": ["front"]}, 200),
        ({"serviceAccounts": ["shop/front"]}, 200),
        ({"serviceAccounts": ["bank/front", "other"]}, 403),
        ({"notServiceAccounts": ["front"]}, 403),
        ({"notServiceAccounts": ["bank/front"]}, 200),
    ],
)
def test_service_accounts_are_of_the_policys_namespace_unless_they_say_another(source: Manifest, status: int) -> None:
    assert called(policy("cart", source)).receivers[0].status == status


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        ({"uri": "/b"}, "http://shop.example.com/b?x=1"),
        ({"scheme": "https"}, "https://shop.example.com/a?x=1"),
        ({"authority": "b.example.com", "port": 8080}, "http://b.example.com:8080/a?x=1"),
        ({"scheme": "https", "port": 443}, "https://shop.example.com/a?x=1"),
        ({"scheme": "https", "derivePort": "FROM_REQUEST_PORT"}, "https://shop.example.com:80/a?x=1"),
        ({"scheme": "https", "derivePort": "FROM_PROTOCOL_DEFAULT"}, "https://shop.example.com/a?x=1"),
    ],
)
def test_a_redirect_may_change_scheme_and_port(redirect: Manifest, location: str) -> None:
    assert visited(*OPEN[:-1], _visitors({"redirect": redirect}), path="/a?x=1").location == location


def test_a_path_is_rewritten_by_an_expression_and_keeps_its_query() -> None:
    edit = {"uriRegexRewrite": {"match": "^/a/([a-z]+)", "rewrite": r"/\1/new"}}
    outcome = called(routes("cart", to("cart", "v2", rewrite=edit)), path="/a/b/c?x=/a/y")
    assert outcome.request
    assert outcome.request.path == "/b/new/c?x=/a/y"


def test_a_route_may_answer_by_itself() -> None:
    outcome = called(routes("cart", {"directResponse": {"status": 418}}))
    assert (outcome.status, outcome.receivers, outcome.reason) == (418, (), "directResponse")


@pytest.mark.parametrize(
    ("release", "unwanted", "header", "yes"),
    [
        ("1.10", {"exact": "1"}, None, False),
        ("1.30", {"exact": "1"}, None, True),
        ("1.10", {"exact": "1"}, "2", True),
        ("1.30", {"exact": "1"}, "2", True),
        ("1.10", {"exact": "1"}, "1", False),
        ("1.30", {"exact": "1"}, "1", False),
        ("1.30", {"regex": ".*"}, None, False),
        ("1.30", {"regex": ".+"}, None, True),
        ("1.10", {}, None, True),
        ("1.30", {}, None, True),
    ],
)
def test_a_missing_header_counts_as_empty_where_a_value_must_not_be_there(
    release: str, unwanted: dict[str, str], header: str | None, yes: bool
) -> None:
    one = evaluator(*matching(withoutHeaders={"x": unwanted}), release=release)
    request = Request(host="cart", headers={} if header is None else {"x": header})
    assert (one.from_workload(request, workload(one, "front")).receivers[0].subset == "v2") is yes


def proving(selector: dict[str, str]) -> Manifest:
    spec = {"selector": {"matchLabels": selector}, "jwtRules": [{"issuer": "issuer", "jwks": '{"keys": []}'}]}
    return manifest_of("RequestAuthentication", "tokens", spec, namespace="istio-system")


@pytest.mark.parametrize(
    ("match", "token", "yes"),
    [
        ({"headers": {"@request.auth.claims[group]": {"exact": "staff"}}}, {"claims": {"group": "staff"}}, True),
        ({"headers": {"@request.auth.claims.group": {"prefix": "st"}}}, {"claims": {"group": "staff"}}, True),
        ({"headers": {"@Request.Auth.Claims.group": {"regex": "s.*"}}}, {"claims": {"group": "staff"}}, True),
        ({"headers": {"@request.auth.claims.Group": {"exact": "staff"}}}, {"claims": {"group": "staff"}}, False),
        ({"headers": {"@request.auth.claims.group": {"exact": "staff"}}}, {"claims": {"group": "crew"}}, False),
        ({"headers": {"@request.auth.claims.group": {"exact": "staff"}}}, {"headers": {"group": "staff"}}, False),
        ({"headers": {"@request.auth.claims.group": {"exact": "staff"}}}, {}, False),
        ({"headers": {"@request.auth.claims.team.id": {"exact": "7"}}}, {"claims": {"team[id]": "7"}}, True),
        ({"headers": {"@request.auth.claims[team.id]": {"exact": "7"}}}, {"claims": {"team[id]": "7"}}, False),
        ({"headers": {"@request.auth.claims.sub": {"exact": "anna"}}}, {"principal": "issuer/anna"}, True),
        ({"withoutHeaders": {"@request.auth.claims.group": {"exact": "staff"}}}, {"claims": {"group": "staff"}}, False),
        ({"withoutHeaders": {"@request.auth.claims.group": {"exact": "staff"}}}, {}, True),
    ],
)
def test_a_route_of_a_gateway_may_ask_for_a_claim_of_a_token(
    match: dict[str, Any], token: dict[str, Any], yes: bool
) -> None:
    by_claim = routes("visitors", to("cart", "v2", match=[match]), to("front"), hosts=["shop.example.com"])
    by_claim["spec"]["gateways"] = ["way-in"]
    outcome = visited(by_claim, proving({"istio": "ingress"}), **token)
    assert outcome.rule.endswith("http[0]") is yes


def test_no_request_has_claims_at_a_gateway_that_proves_no_token() -> None:
    match = {"headers": {"@request.auth.claims.group": {"exact": "staff"}}}
    by_claim = routes("visitors", to("cart", "v2", match=[match]), to("front"), hosts=["shop.example.com"])
    by_claim["spec"]["gateways"] = ["way-in"]
    outcome = visited(by_claim, proving({"app": "front"}), claims={"group": "staff"})
    assert outcome.rule.endswith("http[1]")


def test_a_policy_may_ask_for_a_claim_inside_of_another() -> None:
    condition = {"key": "request.auth.claims[team][id]", "values": ["7"]}
    inside = manifest_of("AuthorizationPolicy", "cart", {"rules": [{"when": [condition]}]})
    assert called(inside, claims={"team[id]": "7"}).receivers[0].status == 200
    assert called(inside, claims={"team": "7"}).receivers[0].status == 403
