"""Findings about features that are right alone and wrong together, and what is right of the same kind."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from tests import meshes
from tests.faults import CORS_POLICY, TOKENS, cart_rule, policy, visitors
from tests.meshes import Manifest, deployment, manifest_of, routes, service, to

PERMISSIVE = manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}})
MANUAL = manifest_of("ConfigMap", "istio", namespace="istio-system") | {"data": {"mesh": "enableAutoMtls: false"}}
DISABLED = manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "DISABLE"}})
MUTUAL = {"tls": {"mode": "ISTIO_MUTUAL"}}
FRONT = "cluster.local/ns/shop/sa/front"
INGRESS = "cluster.local/ns/istio-system/sa/default"


def codes(*objects: Manifest) -> list[str]:
    return [f.code for f in analyse([Object.read(one) for one in meshes.changed(objects)], DEFAULT_NAMES)]


def with_cors(match: Any = None, **policy: Any) -> Manifest:
    return {**({"match": match} if match else {}), **to("front", corsPolicy={**CORS_POLICY, **policy})}


@pytest.mark.parametrize(
    "http",
    [
        [with_cors()],
        [with_cors([{"uri": {"prefix": "/a"}}]), to("front")],
        [with_cors([{"method": {"exact": "OPTIONS"}}]), to("front")],
        [with_cors([{"headers": {"Origin": {}}}]), to("front")],
        [with_cors([{"headers": {"user-agent": {"regex": ".*Mobile.*"}}}]), to("front")],
        [with_cors([{"withoutHeaders": {"end-user": {}}}]), to("front")],
        [with_cors([{"method": {"exact": "GET"}}, {"method": {"exact": "OPTIONS"}}]), to("front")],
        [with_cors([{"uri": {"prefix": "/a"}, "method": {"exact": "GET"}}]), with_cors()],
        [
            with_cors([{"uri": {"exact": "/a/b"}, "headers": {"end-user": {"exact": "jason"}}}]),
            with_cors([{"uri": {"prefix": "/a"}}]),
            to("front"),
        ],
    ],
)
def test_preflights_that_some_route_answers_are_no_finding(http: list[Manifest]) -> None:
    assert codes(visitors(*http)) == []


def test_cors_between_sidecars_is_not_about_browsers() -> None:
    jason = {"headers": {"end-user": {"exact": "jason"}}}
    assert "MESH0118" not in codes(routes("front", with_cors([jason]), to("front")))


@pytest.mark.parametrize(
    ("rule", "allowed", "expected"),
    [
        ({}, ["Authorization"], []),
        ({}, ["x-token"], ["MESH0119"]),
        ({"fromHeaders": [{"name": "X-Token"}]}, ["x-token"], []),
        ({"fromHeaders": [{"name": "X-Token"}]}, ["authorization"], ["MESH0119"]),
        ({"fromParams": ["token"]}, [], []),
    ],
)
def test_scripts_must_be_able_to_send_their_token(rule: Any, allowed: list[str], expected: list[str]) -> None:
    known, refused = TOKENS
    spec = {**known["spec"], "jwtRules": [{"issuer": "https://a.example.com", **rule}]}
    assert codes({**known, "spec": spec}, refused, visitors(with_cors(allowHeaders=allowed))) == expected


@pytest.mark.parametrize(
    ("required", "expected"),
    [
        (["other.example.com", "other.example.com:*"], []),
        (["shop.example.com:*"], ["MESH0119"]),
        (["*.example.com"], ["MESH0119"]),
    ],
)
def test_only_hosts_that_require_tokens_need_scripts_to_send_them(required: list[str], expected: list[str]) -> None:
    known, refused = TOKENS
    rules = [{**refused["spec"]["rules"][0], "to": [{"operation": {"hosts": required}}]}]
    assert codes(known, {**refused, "spec": {**refused["spec"], "rules": rules}}, visitors(with_cors())) == expected


def test_tokens_that_are_not_required_are_no_finding() -> None:
    assert codes(TOKENS[0], visitors(with_cors())) == []


@pytest.mark.parametrize(
    "objects",
    [
        [DISABLED, policy("cart", {"ipBlocks": ["10.0.0.0/8"]})],
        [PERMISSIVE, MANUAL, cart_rule(trafficPolicy=MUTUAL)],
        [PERMISSIVE, MANUAL, manifest_of("DestinationRule", "all", {"host": "*.local", "trafficPolicy": MUTUAL})],
        [PERMISSIVE],
    ],
)  # fmt: skip
def test_callers_that_are_known_or_not_asked_for_are_no_finding(objects: list[Manifest]) -> None:
    assert codes(*objects) == []


def audited(*principals: str) -> list[Manifest]:
    return [
        deployment("audit", {"app": "audit"}, serviceAccountName="audit"),
        service("audit"),
        *([policy("audit", {"principals": list(principals)}, app="audit")] if principals else []),
    ]


@pytest.mark.parametrize("principals", [[FRONT], ["*/sa/front"], []])
def test_a_mirror_that_lets_in_the_callers_of_the_service_is_no_finding(principals: list[str]) -> None:
    assert codes(*audited(*principals), routes("cart", to("cart", mirror={"host": "audit"}))) == []


def test_a_mirror_at_a_gateway_needs_the_gateway_alone() -> None:
    mirrored = visitors(to("front", mirror={"host": "audit"}))
    assert codes(*audited(INGRESS), mirrored) == []
    assert codes(*audited(FRONT), mirrored) == ["MESH0211"]


def test_no_more_is_asked_of_a_mirror_than_of_an_open_service() -> None:
    assert "MESH0211" not in codes(*audited(FRONT), routes("front", to("front", mirror={"host": "audit"})))
