"""`mesh:security`: mutual TLS, authorization and JSON Web Tokens."""

from typing import Any

import pytest

from mesh.config import loading
from mesh.config.stack import Stack
from tests import traffic_configs
from tests.traffic_configs import service

KEYS = '{"keys": []}'
ANYBODY = {"workload": {"a": "b"}, "namespaces": ["default"]}
ISSUER = {"issuer": "https://issuer.example.com"}


def load(security: Any, **keys: Any) -> Stack:
    return traffic_configs.load(keys.pop("traffic", {}), security=security, **keys)


def refusal(security: Any, **keys: Any) -> str:
    return traffic_configs.refusal(keys.pop("traffic", {}), security=security, **keys)


def found(security: Any, **keys: Any) -> dict[str, dict[str, Any]]:
    """The specs of the objects, by `kind/namespace/name`."""
    made = load(security, **keys).security
    return {f"{item.body.kind}/{item.namespace}/{item.name}": item.body.spec() for item in made}


def test_without_config_there_are_no_objects() -> None:
    assert not loading.load({}).settings.security
    assert found({}) == {}


def test_a_mode_alone_applies_to_the_whole_mesh() -> None:
    assert found({"mtls": "STRICT"}) == {"PeerAuthentication/istio-system/default": {"mtls": {"mode": "STRICT"}}}


def test_namespaces_and_workloads_may_have_their_own_modes() -> None:
    metrics = {"labels": {"app": "reviews"}, "ports": {"9090": "DISABLE"}}
    modes = {"mesh": "STRICT", "namespaces": {"default": "PERMISSIVE"}, "workloads": {"metrics": metrics}}
    policies = found({"mtls": modes})
    assert len(policies) == 3
    assert policies["PeerAuthentication/default/namespace-default"] == {"mtls": {"mode": "PERMISSIVE"}}
    assert policies["PeerAuthentication/default/metrics"] == {
        "selector": {"matchLabels": {"app": "reviews"}},
        "portLevelMtls": {"9090": {"mode": "DISABLE"}},
    }


def test_clients_get_destination_rules_where_automatic_mutual_tls_is_off() -> None:
    manual = {"enableAutoMtls": False}
    rules = found({"mtls": "STRICT"}, meshConfig=manual)
    assert rules["DestinationRule/istio-system/default"] == {
        "host": "*.local",
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
    }
    assert rules["DestinationRule/istio-system/api-server"]["trafficPolicy"] == {"tls": {"mode": "DISABLE"}}
    [rule] = traffic_configs.objects(service(), security={"mtls": "STRICT"}, meshConfig=manual)
    assert rule.body.spec()["trafficPolicy"] == {"tls": {"mode": "ISTIO_MUTUAL"}}


def test_clients_get_no_tls_settings_unless_the_mesh_is_strict() -> None:
    manual = {"enableAutoMtls": False}
    [rule] = traffic_configs.objects(service(), meshConfig=manual)
    assert "trafficPolicy" not in rule.body.spec()
    assert len(found({"mtls": "PERMISSIVE"}, meshConfig=manual)) == 1


def test_default_deny_allows_exactly_the_calls_that_bookinfo_needs() -> None:
    rules = found({"authorization": {"defaultDeny": True}}, bookinfo=True)
    assert rules.pop("AuthorizationPolicy/default/default-default-deny") == {}
    callers = {
        name.rpartition("/")[2]: spec["rules"][0]["from"][0]["source"]["principals"] for name, spec in rules.items()
    }
    assert callers == {
        "productpage": ["cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account"],
        "details": ["cluster.local/ns/default/sa/bookinfo-productpage"],
        "reviews": ["cluster.local/ns/default/sa/bookinfo-productpage"],
        "ratings": ["cluster.local/ns/default/sa/bookinfo-reviews"],
    }
    assert rules["AuthorizationPolicy/default/ratings"]["selector"] == {"matchLabels": {"app": "ratings"}}
    assert rules["AuthorizationPolicy/default/ratings"]["rules"][0]["to"] == [{"operation": {"methods": ["GET"]}}]


def test_default_deny_allows_a_gateway_to_call_the_services_it_routes_to() -> None:
    api = {"hosts": ["api.example.com"], "gateway": "istio-egressgateway", "routes": [{"to": "reviews"}]}
    rules = found(
        {"authorization": {"defaultDeny": True}}, bookinfo={"gateway": False}, traffic={"hosts": {"api": api}}
    )
    assert "AuthorizationPolicy/default/productpage" not in rules  # no gateway routes to it, so it has no callers
    [caller] = rules["AuthorizationPolicy/default/reviews"]["rules"][0]["from"]
    assert caller["source"]["principals"] == [
        "cluster.local/ns/default/sa/bookinfo-productpage",
        "cluster.local/ns/istio-system/sa/istio-egressgateway-service-account",
    ]


def callers(rules: dict[str, dict[str, Any]], service: str) -> list[str]:
    """The service accounts that may call one of Bookinfo's services."""
    [caller] = rules[f"AuthorizationPolicy/default/{service}"]["rules"][0]["from"]
    return [principal.rpartition("/")[2] for principal in caller["source"]["principals"]]


GATEWAY = "istio-ingressgateway-service-account"


def test_default_deny_allows_a_gateway_to_call_the_services_that_it_mirrors_to() -> None:
    shop = {"hosts": ["a.io"], "routes": [{"to": "productpage", "mirror": {"service": "ratings"}}]}
    rules = found({"authorization": {"defaultDeny": True}}, bookinfo=True, traffic={"hosts": {"shop": shop}})
    assert callers(rules, "ratings") == ["bookinfo-reviews", GATEWAY]
    assert callers(rules, "details") == ["bookinfo-productpage"]


@pytest.mark.parametrize(
    "reviews",
    [
        {"mirror": {"service": "ratings"}},
        {"rules": [{"match": {"user": "jason"}, "mirror": {"service": "ratings.default"}}]},
    ],
)
def test_default_deny_allows_the_callers_of_a_service_to_call_its_mirror(reviews: dict[str, Any]) -> None:
    traffic = {"services": {"reviews": reviews}}
    rules = found({"authorization": {"defaultDeny": True}}, bookinfo=True, traffic=traffic)
    assert callers(rules, "ratings") == ["bookinfo-reviews", "bookinfo-productpage"]
    assert callers(rules, "reviews") == ["bookinfo-productpage"]


def test_default_deny_is_created_after_the_policies_that_allow() -> None:
    made = load({"authorization": {"defaultDeny": True}}, bookinfo=True).security
    assert [item.name for item in made if item.late] == ["default-default-deny"]


def test_the_rules_for_bookinfo_can_be_switched_off() -> None:
    rules = found({"authorization": {"defaultDeny": True, "bookinfo": False}}, bookinfo=True)
    assert list(rules) == ["AuthorizationPolicy/default/default-default-deny"]


def test_requests_can_be_allowed_by_account_gateway_and_namespace() -> None:
    allow = {
        "workload": {"app": "web"},
        "accounts": ["batch", "shop/cart"],
        "gateways": ["istio-ingressgateway"],
        "namespaces": ["monitoring"],
        "methods": ["GET"],
        "paths": ["/api/*"],
        "ports": [8080],
    }
    rules = found({"authorization": {"allow": {"web": allow}}}, meshConfig={"trustDomain": "example.com"})
    assert rules["AuthorizationPolicy/default/web"] == {
        "selector": {"matchLabels": {"app": "web"}},
        "action": "ALLOW",
        "rules": [
            {
                "from": [
                    {
                        "source": {
                            "principals": [
                                "example.com/ns/default/sa/batch",
                                "example.com/ns/shop/sa/cart",
                                "example.com/ns/istio-system/sa/istio-ingressgateway-service-account",
                            ]
                        }
                    },
                    {"source": {"namespaces": ["monitoring"]}},
                ],
                "to": [{"operation": {"methods": ["GET"], "paths": ["/api/*"], "ports": ["8080"]}}],
            }
        ],
    }


def test_a_gateway_denies_requests_without_a_token() -> None:
    jwt = {"issuers": [{**ISSUER, "jwks": KEYS}], "hosts": ["shop.example.com"], "public": ["/healthz"]}
    rules = found({"jwt": jwt})
    known = rules["RequestAuthentication/istio-system/istio-ingressgateway-jwt"]
    assert known["selector"]["matchLabels"]["istio"] == "ingressgateway"
    assert known["jwtRules"] == [{**ISSUER, "jwks": KEYS}]
    refused = rules["AuthorizationPolicy/istio-system/istio-ingressgateway-jwt"]
    assert refused["action"] == "DENY"
    assert refused["rules"] == [
        {
            "from": [{"source": {"notRequestPrincipals": ["*"]}}],
            "to": [{"operation": {"hosts": ["shop.example.com", "shop.example.com:*"], "notPaths": ["/healthz"]}}],
        }
    ]


def test_a_port_in_the_host_header_does_not_open_a_wildcard_host() -> None:
    rules = found({"jwt": {"issuers": [{**ISSUER, "jwks": KEYS}], "hosts": ["*.example.com", "*"]}})
    [rule] = rules["AuthorizationPolicy/istio-system/istio-ingressgateway-jwt"]["rules"]
    hosts = rule["to"][0]["operation"]["hosts"]
    assert hosts[0] == "*.example.com"
    assert {"*.example.com:80", "*.example.com:8080", "*.example.com:443", "*.example.com:8443"} < set(hosts)
    assert hosts[-1] == "*"


CORS = {"allowOrigins": [{"exact": "https://shop.example.com"}], "allowMethods": ["GET"]}


def host(name: str, gateway: str = "istio-ingressgateway", **route: Any) -> dict[str, Any]:
    return {"hosts": [name], "gateway": gateway, "routes": [{"to": "reviews", **route}]}


def test_preflights_are_answered_before_tokens_are_asked_for() -> None:
    rules = found(
        {"jwt": {"issuers": [{**ISSUER, "jwks": KEYS}]}}, traffic={"hosts": {"shop": host("a.io", cors=CORS)}}
    )
    spec = rules["EnvoyFilter/istio-system/istio-ingressgateway-jwt"]
    denied = rules["AuthorizationPolicy/istio-system/istio-ingressgateway-jwt"]
    assert spec["workloadSelector"]["labels"] == denied["selector"]["matchLabels"]
    assert denied["rules"] == [{"from": [{"source": {"notRequestPrincipals": ["*"]}}]}], "no other request is exempt"
    [patch] = spec["configPatches"]
    assert (patch["match"]["context"], patch["patch"]["operation"]) == ("GATEWAY", "INSERT_FIRST")
    assert patch["patch"]["value"]["name"] == "envoy.filters.http.cors"


@pytest.mark.parametrize(
    ("wanted", "entry", "expected"),
    [
        ([], host("a.io"), False),
        ([], host("a.io", "istio-egressgateway", cors=CORS), False),
        (["b.io"], host("a.io", cors=CORS), False),
        (["a.io"], host("a.io", cors=CORS), True),
        (["*.a.io"], host("www.a.io", cors=CORS), True),
        (["a.io"], host("*", cors=CORS), True),
    ],
)
def test_only_cors_behind_tokens_changes_the_gateway(wanted: list[str], entry: dict[str, Any], expected: bool) -> None:
    jwt = {"issuers": [{**ISSUER, "jwks": KEYS}], "hosts": wanted}
    rules = found({"jwt": jwt}, traffic={"hosts": {"shop": entry}})
    assert ("EnvoyFilter/istio-system/istio-ingressgateway-jwt" in rules) is expected


def test_preflights_pass_before_the_policy_that_refuses_is_there() -> None:
    made = load({"jwt": {"issuers": [{**ISSUER, "jwks": KEYS}]}}, traffic={"hosts": {"shop": host("a.io", cors=CORS)}})
    assert [(item.body.kind, item.late) for item in made.security][-1] == ("AuthorizationPolicy", True)
    assert [item.late for item in made.security].count(True) == 1


@pytest.mark.parametrize(
    ("security", "text"),
    [
        ({"mtls": "STRIKT"}, 'mesh:security.mtls.mesh: "STRIKT" is not one of STRICT, PERMISSIVE, DISABLE; did you'),
        ({"mtls": {"namespaces": {"shop": "STRICT"}}}, 'mesh:security.mtls: namespace "shop" is not one of the stack'),
        ({"mtls": {"workloads": {"x": {"labels": {"a": "b"}}}}}, "mtls.workloads.x: needs mode, ports or both"),
        ({"authorization": {"allow": {"x": {"workload": {"a": "b"}}}}}, "allow.x: needs accounts, gateways or"),
        (
            {"authorization": {"allow": {"x": {"workload": {"a": "b"}, "accounts": ["a/b/c"]}}}},
            'allow.x.accounts[0]: "a/b/c" is not a service account',
        ),
        (
            {"authorization": {"allow": {"x": {"workload": {"a": "b"}, "gateways": ["edge"]}}}},
            'mesh:security.authorization: gateway "edge" is not one of',
        ),
        ({"authorization": {"allow": {"x": {**ANYBODY, "paths": ["/a", "a/*"]}}}}, 'paths[1]: "a/*" matches no path'),
        ({"authorization": {"allow": {"x": {**ANYBODY, "paths": ["/a/*b"]}}}}, 'paths[0]: "/a/*b": * is a wildcard'),
        ({"authorization": {"allow": {"x": {**ANYBODY, "methods": ["get"]}}}}, 'methods[0]: "get" is not one of GET'),
        ({"jwt": {"issuers": [ISSUER], "public": ["healthz"]}}, 'jwt.public[0]: "healthz" matches no path'),
        ({"jwt": {"issuers": [ISSUER], "public": ["/healthz", "/*"]}}, 'public[1]: "/*" matches every path'),
        ({"jwt": {"issuers": []}}, "mesh:security.jwt.issuers: must not be empty"),
        ({"jwt": {"issuers": [{"issuer": "me"}]}}, "mesh:security.jwt.issuers[0]: needs jwksUri or jwks"),
        ({"jwt": {"issuers": [ISSUER], "gateway": "edge"}}, 'mesh:security.jwt: gateway "edge" is not one of'),
        ({"mtls": "DISABLE", "authorization": {"defaultDeny": True}}, "identifies callers by mutual TLS"),
    ],
)  # fmt: skip
def test_an_invalid_value_is_reported_in_one_line_with_its_key(security: Any, text: str) -> None:
    message = refusal(security)
    assert text in message
    assert len(message.splitlines()) == 1


def test_a_service_without_tls_contradicts_a_strict_mesh() -> None:
    message = refusal({"mtls": "STRICT"}, traffic=service(tls="DISABLE"))
    assert "mesh:traffic.services.reviews.tls: DISABLE contradicts mesh:security.mtls" in message


def test_security_without_a_control_plane_is_refused() -> None:
    message = refusal({"mtls": "STRICT"}, profile="empty", injectedNamespaces={}, namespaces={"default": "existing"})
    assert "mesh:security is set, but the profile empty has no istiod" in message
