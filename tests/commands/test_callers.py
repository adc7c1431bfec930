"""What `make smoke` says of who is answered on the live data plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from commands import callers, stacks, standing
from sandbox import live
from sandbox.live import Workload
from tests.fake_api import FakeApi, listing, namespace
from tests.sandbox.snapshots import PLAN

SETTINGS = stacks.load("today").settings
SECURITY = "GET /apis/security.istio.io/v1beta1"
REVIEWS_ONLY = {
    "metadata": {"name": "ratings", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": {"app": "ratings"}},
        "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/bookinfo-reviews"]}}]}],
    },
}
STRICT = {"metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"mtls": {"mode": "STRICT"}}}
ALLOWED = {"reviews-v1", "reviews-v2", "reviews-v3"}


def service(name: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 9080, "targetPort": 9080}]
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": {"app": name}, "ports": ports}}


def deployment(workload: Workload) -> dict[str, Any]:
    account = f"bookinfo-{workload.service}"
    template = {"metadata": {"labels": workload.labels}, "spec": {"serviceAccountName": account, "containers": []}}
    return {"metadata": {"name": workload.name, "namespace": "default"}, "spec": {"template": template}}


API = FakeApi(
    {
        **{f"GET {path}": listing() for path in standing.READ.values()},
        "GET /api/v1/namespaces": listing(namespace("default", **{"istio-injection": "enabled"})),
        "GET /api/v1/services": listing(*map(service, ("productpage", "details", "reviews", "ratings"))),
        "GET /apis/apps/v1/deployments": listing(*map(deployment, PLAN.workloads)),
        f"{SECURITY}/authorizationpolicies": listing(REVIEWS_ONLY),
        f"{SECURITY}/peerauthentications": listing(STRICT),
    }
)


def rows(monkeypatch: pytest.MonkeyPatch, of_ratings: Mapping[str, int], plain: int = 0) -> dict[str, str]:
    """What is wrong by the beginning of the row, if ratings answers with these statuses and calls in plain text with
    that one."""
    by_outbound = {one.outbound: one.name for one in PLAN.workloads}

    def status(address: str, called: str, _: str) -> int:
        if address not in by_outbound:
            return plain
        return of_ratings[by_outbound[address]] if called == "ratings" else 200

    monkeypatch.setattr(callers, "_status", status)
    own = replace(PLAN.workloads[0], name="own", namespace="shop")  # it is not Bookinfo's
    monkeypatch.setattr(live, "identified", lambda _: (*PLAN.workloads, own))
    monkeypatch.setattr(live, "applied", lambda *_: None)
    return {line: wrong for wrong, line in callers.rows(API, SETTINGS, "wrong")}


def statuses(answered: set[str]) -> dict[str, int]:
    return {one.name: 200 if one.name in answered else 403 for one in PLAN.workloads}


def test_whom_a_service_answers_is_what_the_policies_say(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(monkeypatch, statuses(ALLOWED))
    said = "answers reviews-v1, reviews-v2, reviews-v3; 403 for productpage-v1, details-v1"
    assert f"ratings        {said}" in found
    assert set(found.values()) == {""}


@pytest.mark.parametrize("answered", [{*ALLOWED, "productpage-v1"}, ALLOWED - {"reviews-v2"}])
def test_an_answer_to_others_than_the_policies_say_is_wrong(
    monkeypatch: pytest.MonkeyPatch, answered: set[str]
) -> None:
    found = rows(monkeypatch, statuses(answered))
    assert [line.split()[0] for line, wrong in found.items() if wrong] == ["ratings"]


def test_an_answer_to_plain_text_is_wrong_where_mutual_tls_is_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(monkeypatch, statuses(ALLOWED), plain=200)
    assert [line for line, wrong in found.items() if wrong] == [
        "plain text     accepted by " + ", ".join(one.name for one in PLAN.workloads)
    ]


def test_without_certificates_nothing_is_said_of_callers() -> None:
    assert list(callers.rows(API, stacks.load("dev").settings, "wrong")) == []
