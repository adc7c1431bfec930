"""What cannot work at a gateway that requires tokens is refused, with the way that works."""

from __future__ import annotations

from typing import Any

import pytest

from tests import traffic_configs

ISSUER = {"issuer": "https://issuer.example.com"}
BY_TOKEN = {"requests": 5, "scope": "global", "by": {"header": "authorization"}}


def stack(
    service: Any = None, issuer: Any = None, gateway: str = "istio-ingressgateway", **more: Any
) -> dict[str, Any]:
    """A stack whose ingress gateway requires tokens, with a route of a gateway to reviews; `more` are the route's
    fields."""
    host = {"hosts": ["a.io"], "gateway": gateway, "routes": [{"to": "reviews", **more}]}
    services = {"reviews": {"versions": ["v1"], **(service or {})}}
    jwt = {"issuers": [{**ISSUER, **(issuer or {})}]}
    return {"traffic": {"services": services, "hosts": {"shop": host}}, "security": {"jwt": jwt}}


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            stack(limit=BY_TOKEN),
            "mesh:traffic.hosts.shop.routes[0].limit.by.header: istio-ingressgateway removes the token",
        ),
        (
            stack(limit={**BY_TOKEN, "by": {"header": "X-Token"}}, issuer={"fromHeaders": [{"name": "x-token"}]}),
            "mesh:traffic.hosts.shop.routes[0].limit.by.header: ",
        ),
        (stack({"limit": BY_TOKEN}), "mesh:traffic.services.reviews.limit.by.header: "),
        (stack({"affinity": {"header": "Authorization"}}), "mesh:traffic.services.reviews.affinity.header: "),
        (
            stack({"host": "reviews", "affinity": {"header": "authorization"}}),
            "set mesh:security.jwt.issuers[0].forwardOriginalToken to true",
        ),
    ],
)
def test_a_header_that_the_gateway_takes_away_is_refused(keys: dict[str, Any], text: str) -> None:
    message = traffic_configs.refusal(**keys)
    assert text in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "keys",
    [
        stack(limit=BY_TOKEN, issuer={"forwardOriginalToken": True}),
        stack(limit=BY_TOKEN, issuer={"fromParams": ["token"]}),
        stack(limit=BY_TOKEN, issuer={"fromHeaders": [{"name": "x-token"}]}),
        stack(limit={**BY_TOKEN, "by": {"header": "x-user"}}, issuer={"outputPayloadToHeader": "x-user"}),
        stack({"affinity": {"header": "authorization"}}, gateway="istio-egressgateway"),
        stack({"limit": BY_TOKEN, "host": "ratings"}) | {"traffic": {"services": {"ratings": {"limit": BY_TOKEN}}}},
    ],
)
def test_a_header_that_stays_is_accepted(keys: dict[str, Any]) -> None:
    traffic_configs.load(**keys)


def test_tls_cannot_pass_through_a_gateway_that_requires_tokens() -> None:
    outside = {"api": {"hosts": ["api.example.com"], "gateway": "istio-egressgateway"}}
    jwt = {"issuers": [ISSUER], "gateway": "istio-egressgateway"}
    message = traffic_configs.refusal({"egress": outside}, security={"jwt": jwt})
    assert message.startswith("mesh:traffic.egress.api.gateway: istio-egressgateway requires tokens")
    traffic_configs.load({"egress": outside}, security={"jwt": {"issuers": [ISSUER]}})
    plain = {"api": {**outside["api"], "protocol": "HTTP"}}
    traffic_configs.load({"egress": plain}, security={"jwt": jwt})
