"""Access rules: denials, external authorizers, addresses, claims, and requirements for tokens."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Request
from tests import traffic_configs
from tests.meshes import deployment, service
from tests.releases import RELEASE

CART = {"workload": {"app": "cart"}}
GATEWAY = "istio-ingressgateway"
ISSUER = {"issuer": "https://issuer.example.com"}
AUTHORIZER = {"name": "own", "envoyExtAuthzGrpc": {"service": "own.default.svc.cluster.local", "port": 9000}}


def policies(security: dict[str, Any], **keys: Any) -> dict[str, dict[str, Any]]:
    """The specs of the AuthorizationPolicies, by name."""
    made = traffic_configs.load({}, security=security, **keys).security
    return {item.name: item.body.spec() for item in made if item.body.kind == "AuthorizationPolicy"}


def rules(**authorization: Any) -> dict[str, dict[str, Any]]:
    return policies({"authorization": authorization})


def refusal(security: dict[str, Any], **keys: Any) -> str:
    return traffic_configs.refusal({}, security=security, **keys)


def test_addresses_and_claims_say_who_may_call_too() -> None:
    office = {"atGateway": GATEWAY, "remoteIpBlocks": ["192.0.2.0/24"], "hosts": ["a.example.com"]}
    claims = {"group": "admins", "realm_access[roles]": ["a", "b"]}
    admins = {"atGateway": GATEWAY, "ipBlocks": ["10.0.0.0/8"], "claims": claims}
    security = {"authorization": {"allow": {"office": office, "admins": admins}}, "jwt": {"issuers": [ISSUER]}}
    found = policies(security)
    assert found["office"]["selector"]["matchLabels"]["istio"] == "ingressgateway"
    assert found["office"]["rules"] == [
        {
            "from": [{"source": {"remoteIpBlocks": ["192.0.2.0/24"]}}],
            "to": [{"operation": {"hosts": ["a.example.com", "a.example.com:*"]}}],
        }
    ]
    [rule] = found["admins"]["rules"]
    assert rule["when"] == [
        {"key": "request.auth.claims[group]", "values": ["admins"]},
        {"key": "request.auth.claims[realm_access][roles]", "values": ["a", "b"]},
    ]


def test_an_address_restricts_each_caller_that_is_named() -> None:
    [rule] = rules(allow={"x": {**CART, "accounts": ["web"], "namespaces": ["shop"], "ipBlocks": ["10.0.0.0/8"]}})["x"][
        "rules"
    ]
    assert [source["source"]["ipBlocks"] for source in rule["from"]] == [["10.0.0.0/8"]] * 2


def test_a_denial_needs_no_caller() -> None:
    found = rules(deny={"admin": {**CART, "paths": ["/admin*"]}})["admin"]
    assert found["action"] == "DENY"
    assert found["rules"] == [{"to": [{"operation": {"paths": ["/admin*"]}}]}]


def test_an_external_authorizer_is_asked_about_all_but_public_paths() -> None:
    security = {"authorization": {"custom": {"x": {**CART, "provider": "own", "public": ["/healthz"]}}}}
    found = policies(security, meshConfig={"extensionProviders": [AUTHORIZER]})["x"]
    assert (found["action"], found["provider"]) == ("CUSTOM", {"name": "own"})
    assert found["rules"] == [{"to": [{"operation": {"notPaths": ["/healthz"]}}]}]


@pytest.mark.parametrize(
    ("authorization", "problem"),
    [
        ({"allow": {"x": {"accounts": ["web"]}}}, "allow.x.workload: is required without atGateway"),
        (
            {"allow": {"x": {**CART, "atGateway": GATEWAY, "accounts": ["a"]}}},
            "allow.x.workload: cannot be combined with",
        ),
        ({"allow": {"x": {**CART, "accounts": ["a"], "hosts": ["a.io"]}}}, "allow.x.hosts: need atGateway"),
        ({"allow": {"x": {**CART, "ipBlocks": ["300.0.0.1"]}}}, "allow.x.ipBlocks[0]: "),
        (
            {
                "allow": {
                    "x": {**CART, "ipBlocks": ["[secret]{mesh:security.authorization.allow.x.ipBlocks[0]#3fa2c1}"]}
                }
            },
            "allow.x.ipBlocks[0]: is encrypted (`secure:`), but decides",
        ),
        ({"allow": {"x": {**CART, "claims": {"a b": "c"}}}}, "is not a claim: write name, or outer[inner]"),
        ({"deny": {"x": CART}}, "deny.x: would deny every request: say whose (accounts, ipBlocks, …) or which"),
        ({"deny": {"x": {"atGateway": "edge", "paths": ["/a"]}}}, 'gateway "edge" is not one of'),
        (
            {"deny": {"x": {**CART, "claims": {"group": "guest"}}}},
            "deny.x.claims: these pods verify no tokens, so no request has claims: set mesh:security.jwt, and",
        ),
        (
            {"custom": {"x": {**CART, "provider": "owm"}}},
            'custom.x.provider: "owm" is not one of own; did you mean "own"?: declare it in mesh:meshConfig',
        ),
        ({"custom": {"x": {**CART, "provider": "own", "accounts": ["a"]}}}, 'custom.x: unknown field "accounts"'),
    ],
)
def test_a_rule_that_cannot_be_is_refused(authorization: dict[str, Any], problem: str) -> None:
    providers = {"extensionProviders": [AUTHORIZER]}
    (line,) = refusal({"authorization": authorization}, meshConfig=providers).split("\n")
    assert line.startswith("mesh:security.authorization")
    assert problem in line


def outcome(jwt: dict[str, Any], **request: Any) -> int:
    """The status of a request at a gateway that requires tokens, behind which a service answers."""
    traffic = {"hosts": {"shop": {"hosts": ["*"], "routes": [{"to": "cart"}]}}}
    tokens = {"jwt": {"issuers": [{**ISSUER, "jwks": '{"keys": []}'}], **jwt}}
    made = traffic_configs.load(traffic, security=tokens)
    gateway = {"app": GATEWAY, "istio": "ingressgateway"}
    manifests = [
        *(item.manifest(RELEASE.api) for item in (*made.traffic, *made.security)),
        deployment(GATEWAY, gateway, "istio-system", containers=[{"name": "istio-proxy", "image": "proxyv2"}]),
        service(GATEWAY, [{"name": "http", "port": 80}], "istio-system", selector=gateway),
        service("cart", [{"name": "http", "port": 80}], "default", selector={"app": "cart"}),
        deployment("cart", {"app": "cart"}, "default"),
    ]
    mesh = Mesh([Object.read(manifest) for manifest in manifests], DEFAULT_NAMES)
    (pod,) = (one for one in mesh.workloads.all if one.object.name == GATEWAY)
    found = Evaluator(mesh).from_outside(Request(host="shop.example.com", **request), pod)
    return found.receivers[0].status if found.receivers else found.status


PUBLIC: list[Any] = [
    "/healthz",
    {"methods": ["OPTIONS"]},
    {"paths": ["/items*"], "methods": ["GET", "HEAD"]},
    {"paths": ["/forms*"], "methods": ["POST"]},
]


@pytest.mark.parametrize(("method", "path"), product(["GET", "POST", "OPTIONS"], ["/healthz", "/items/1", "/forms/1"]))
def test_requests_are_public_by_path_and_method(method: str, path: str) -> None:
    public = path == "/healthz" or method == "OPTIONS" or (method, path[:6]) in (("GET", "/items"), ("POST", "/forms"))
    assert outcome({"public": PUBLIC}, method=method, path=path) == (200 if public else 403)


def test_only_some_paths_may_need_a_token() -> None:
    jwt = {"paths": ["/api/*"], "public": ["/api/healthz"]}
    answers = [outcome(jwt, path=path) for path in ("/", "/api/x", "/api/healthz")]
    assert answers == [200, 403, 200]


def test_tokens_of_some_requests_must_say_more() -> None:
    wanted = {"paths": ["/admin*"], "issuer": ISSUER["issuer"], "claims": {"group": ["admins", "owners"]}}
    token = {"principal": f"{ISSUER['issuer']}/me"}
    jwt = {"require": [wanted]}
    assert outcome(jwt, path="/", **token) == 200
    assert outcome(jwt, path="/admin", **token) == 403
    assert outcome(jwt, path="/admin", claims={"group": "guests"}, **token) == 403
    assert outcome(jwt, path="/admin", claims={"group": "owners"}, **token) == 200
    assert outcome(jwt, path="/admin", claims={"group": "owners"}, principal="other/me") == 403


@pytest.mark.parametrize(
    ("jwt", "problem"),
    [
        ({"public": [{}]}, "public[0]: needs paths, methods or both"),
        ({"public": [{"methods": ["get"]}]}, 'public[0].methods[0]: "get" is not one of GET'),
        ({"require": [{"paths": ["/a"]}]}, "require[0]: needs issuer, claims or both"),
        ({"require": [{"issuer": "x"}]}, 'require[0].issuer: "x" is not one of https://issuer.example.com (issuers)'),
    ],
)
def test_tokens_that_cannot_be_are_refused(jwt: dict[str, Any], problem: str) -> None:
    assert f"mesh:security.jwt.{problem}" in refusal({"jwt": {"issuers": [ISSUER], **jwt}})
