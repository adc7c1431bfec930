"""The live data plane of stack `today`: certificates of the real istiod, mutual TLS, rules by the caller's account.

Each test continues from the previous one, and deletes the objects that it applies."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Checkout, with_stacks
from tests.e2e.live import (
    PRODUCT,
    custom,
    free_node_port,
    plan,
    soon,
    standing,
    versions,
)
from tests.e2e.visitors import visited

pytestmark = with_stacks("today")
LIVE = "LIVE=1"
LIFETIME = {"SECRET_TTL": "1m", "SECRET_GRACE_PERIOD_RATIO": "0.9"}
"""Certificates run out after a minute, and are renewed after 6 s: agents that have tried in vain for AWAY seconds wait
for up to as long until they try again."""
AWAY = 20
"""Seconds without a control plane."""
RATINGS = "/ratings/0"


@pytest.fixture(scope="module")
def site(checkout: Checkout) -> Iterator[str]:
    """The address of the live gateway, after `make up` of the stack without addons."""
    port = free_node_port()
    mesh = {"defaultConfig": {"proxyMetadata": LIFETIME}}
    checkout.set(ingressNodePorts={"http2": port}, addons=None, analysis=None, meshConfig=mesh)
    checkout.make("up", LIVE)
    yield f"http://127.0.0.1:{port}"
    checkout.reset_files()


def policy(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """An object about the pods of ratings."""
    spec = {"selector": {"matchLabels": {"app": "ratings"}}, **spec}
    return {**custom(kind, "of-the-test", spec), "apiVersion": "security.istio.io/v1"}


def plain(checkout: Checkout) -> int:
    """The status of a call to ratings in plain text, past its callers' proxies; 0 if the connection is refused."""
    [ratings] = [one for one in plan(checkout).workloads if one.service == "ratings"]
    try:
        return requests.get(f"http://{ratings.address}:9080{RATINGS}", timeout=5).status_code
    except requests.ConnectionError:
        return 0


def callers(checkout: Checkout) -> dict[str, int]:
    """The status with which ratings answers each workload, through that one's proxy and with its certificate."""
    return {
        one.name: requests.get(
            f"http://{one.outbound}:9080{RATINGS}", headers={"Host": "ratings:9080"}, timeout=5
        ).status_code
        for one in plan(checkout).workloads
    }


ONLY_REVIEWS = {
    "productpage-v1": 403,
    "details-v1": 403,
    "reviews-v1": 200,
    "reviews-v2": 200,
    "reviews-v3": 200,
    "ratings-v1": 403,
}


def test_the_page_opens_through_proxies_with_istios_certificates(checkout: Checkout, site: str) -> None:
    page = requests.get(f"{site}/productpage", timeout=20)
    assert (page.status_code, "not available" in page.text) == (200, False)
    text = checkout.make("status")
    assert "sidecars  namespace default: 6 pods, 6 with" in text
    assert "8 of 8 proxies have certificates from istiod, trust domain cluster.local" in text
    assert "left out" not in text
    assert "rejects" not in text


def test_ratings_answers_reviews_and_nobody_else(checkout: Checkout, site: str) -> None:
    assert site
    assert callers(checkout) == ONLY_REVIEWS
    text = checkout.make("smoke")
    assert "ratings        answers reviews-v1, reviews-v2, reviews-v3; 403 for productpage-v1, details-v1\n" in text
    assert "plain text     refused by productpage-v1, details-v1" in text


def test_a_call_in_plain_text_is_refused_where_mutual_tls_is_strict(checkout: Checkout, site: str) -> None:
    assert site
    assert plain(checkout) == 0
    everyone = policy("AuthorizationPolicy", {"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]})
    for mode in ({"mtls": {"mode": "PERMISSIVE"}}, {"portLevelMtls": {"9080": {"mode": "DISABLE"}}}):
        with standing(checkout, everyone, policy("PeerAuthentication", mode)):
            soon(lambda: plain(checkout) == 200)
            soon(lambda: set(callers(checkout).values()) == {200})
    soon(lambda: plain(checkout) == 0)


def test_without_mutual_tls_nobody_is_the_caller_that_a_rule_asks_for(checkout: Checkout, site: str) -> None:
    assert site
    with standing(checkout, policy("PeerAuthentication", {"mtls": {"mode": "DISABLE"}})):
        soon(lambda: set(callers(checkout).values()) == {403})
    soon(lambda: callers(checkout) == ONLY_REVIEWS)


def test_a_gateway_that_the_validator_refuses_never_reaches_envoy(checkout: Checkout, site: str) -> None:
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTPX"}, "hosts": ["*"]}
    gateway = custom("Gateway", "bad", {"selector": {"istio": "ingressgateway"}, "servers": [server]})
    with pytest.raises(AssertionError, match=r"admission webhook .* denied the request"):
        checkout.apply(gateway)
    time.sleep(1)
    assert '"bad"' not in (checkout.cluster / "live" / "config" / "objects.yaml").read_text()
    assert requests.get(f"{site}/productpage", timeout=20).status_code == 200


def certificates(checkout: Checkout) -> dict[str, datetime]:
    """When the newest certificate of each proxy runs out, by serial number."""
    found = {}
    for proxy in plan(checkout).proxies:
        told = requests.get(f"http://{proxy.address}:15000/certs", timeout=5).json()["certificates"]
        newest = max((chain for one in told for chain in one["cert_chain"]), key=lambda one: one["expiration_time"])
        found[newest["serial_number"]] = datetime.fromisoformat(newest["expiration_time"])
    return found


def test_certificates_run_out_and_istiod_is_away_for_20_s_and_no_request_fails(checkout: Checkout, site: str) -> None:
    # Every call needs a handshake of its own, with the certificate of that moment.
    once = {"connectionPool": {"http": {"maxRequestsPerConnection": 1}}}
    rules = [custom("DestinationRule", name, {"host": name, "trafficPolicy": once}) for name in ("reviews", "ratings")]
    with standing(checkout, *rules):
        first = certificates(checkout)
        assert len(first) == 8
        with visited(f"{site}{PRODUCT}/reviews", broken='"error"', least=2000) as found:
            checkout.kubectl("scale", "deployment", "istiod", "--namespace=istio-system", "--replicas=0")
            soon(lambda: not list((checkout.cluster / "run").glob("istiod-*.json")))
            time.sleep(AWAY)
            checkout.kubectl("scale", "deployment", "istiod", "--namespace=istio-system", "--replicas=1")
            end = max(first.values())
            soon(lambda: datetime.now(end.tzinfo) > end, limit=90)
        assert found.total() >= 2000
        assert set(found) == {200}, found
    now = certificates(checkout)
    assert len(now) == 8
    assert not set(first) & set(now)


def test_a_route_moves_within_two_seconds_of_make_up(checkout: Checkout, site: str) -> None:
    assert len(set(versions(site, 40))) > 1
    checkout.set(traffic={"services": {"reviews": {"versions": ["v1", "v2", "v3"], "route": {"v2": 100}}}})
    checkout.make("up", LIVE)
    soon(lambda: set(versions(site, 10)) == {"v2"}, limit=2)
    assert set(versions(site, 40)) == {"v2"}
