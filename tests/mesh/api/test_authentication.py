"""PeerAuthentication and RequestAuthentication."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

SELECTOR = {"matchLabels": {"app": "a"}}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"mtls": {"mode": "STRIKT"}},
            ' mtls.mode: "STRIKT" is not one of UNSET, DISABLE, PERMISSIVE, STRICT; did you mean "STRICT"?',
        ),
        ({"portLevelMtls": {80: {}}}, " portLevelMtls: needs selector.matchLabels"),
        ({"portLevelMtls": {80: {}}, "selector": {"matchLabels": {}}}, " portLevelMtls: needs selector.matchLabels"),
        ({"portLevelMtls": {}, "selector": SELECTOR}, " portLevelMtls: must not be empty"),
        ({"portLevelMtls": {0: {}}, "selector": SELECTOR}, " portLevelMtls[0] (the key): 0 is not in 1..65535"),
        (
            {"portLevelMtls": {"http": {}}, "selector": SELECTOR},
            ' portLevelMtls.http (the key): expected a whole number, got "http"',
        ),
        (
            {"portLevelMtls": {80: {"mode": 1}}, "selector": SELECTOR},
            " portLevelMtls[80].mode: 1 is not one of UNSET, DISABLE, PERMISSIVE, STRICT",
        ),
        (
            {"selector": {"matchlabels": {}}},
            ' selector: unknown field "matchlabels"; did you mean "matchLabels"? (fields: matchLabels)',
        ),
    ],
)
def test_an_invalid_peer_authentication_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.PeerAuthentication, fields) == [f"PeerAuthentication{line}"]


def test_keys_of_port_level_mtls_may_be_numbers_or_text() -> None:
    policy = api.PeerAuthentication.from_wire(
        {"selector": SELECTOR, "portLevelMtls": {80: {"mode": "DISABLE"}, "443": {"mode": "STRICT"}}}
    )
    assert policy.spec()["portLevelMtls"] == {"80": {"mode": "DISABLE"}, "443": {"mode": "STRICT"}}


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({}, ".issuer: is required without jwksUri"),
        ({"issuer": ""}, ".issuer: must not be empty"),
        ({"issuer": "a", "audiences": [""]}, ".audiences[0]: must not be empty"),
        ({"issuer": "a", "jwksUri": "ftp://b"}, '.jwksUri: "ftp://b" is not an http:// or https:// address'),
        ({"issuer": "a", "jwksUri": "https:///b"}, '.jwksUri: "https:///b" is not an http:// or https:// address'),
        ({"issuer": "a", "jwksUri": "https://b:c"}, '.jwksUri: "https://b:c" is not an http:// or https:// address'),
        ({"issuer": "a", "jwksUri": "https://b%c"}, '.jwksUri: "https://b%c" is not an http:// or https:// address'),
        ({"issuer": "a", "jwksUri": "https://b/%c"}, '.jwksUri: "https://b/%c" is not an http:// or https:// address'),
        (
            {"issuer": "a", "jwksUri": "https://b", "jwks_uri": "https://b"},
            ": only one of jwksUri, jwks_uri may be set, got jwksUri and jwks_uri",
        ),
        ({"issuer": "a", "jwks": "{}"}, '.jwks: must be a JSON Web Key Set, {"keys": […]}, as text'),
        ({"issuer": "a", "jwks": "{"}, '.jwks: must be a JSON Web Key Set, {"keys": […]}, as text'),
        ({"issuer": "a", "fromHeaders": [{"prefix": "Bearer "}]}, ".fromHeaders[0].name: is required"),
        ({"issuer": "a", "fromParams": [""]}, ".fromParams[0]: must not be empty"),
        ({"issuer": "a", "forwardOriginalToken": 1}, ".forwardOriginalToken: expected true or false, got 1"),
    ],
)
def test_an_invalid_jwt_rule_is_refused_with_its_path(rule: dict[str, Any], line: str) -> None:
    assert problems(api.RequestAuthentication, {"jwtRules": [rule]}) == [f"RequestAuthentication jwtRules[0]{line}"]


def test_a_valid_jwt_rule_is_accepted() -> None:
    rule = {"issuer": "a", "jwks": '{"keys": []}', "fromHeaders": [{"name": "x-token", "prefix": "Bearer "}]}
    assert api.RequestAuthentication.from_wire({"jwtRules": [rule]}).spec() == {"jwtRules": [rule]}
    api.JWTRule(issuer="a", jwksUri="https://me:p%40ss@a.b:8443/keys%20?x=100%")
