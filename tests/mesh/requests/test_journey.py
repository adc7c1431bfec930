"""One page of Bookinfo, hop by hop."""

from __future__ import annotations

from functools import cache

import pytest

from commands import analyze, render
from components.bookinfo import CALLS
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import USUAL
from mesh.requests.evaluator import Evaluator
from mesh.requests.journey import Call, Hop, follow, shares
from mesh.requests.types import Request
from tests import meshes
from tests.meshes import Manifest, to

PAGE = Request(host="bookinfo.example.com", path="/productpage")
JASON = Request(host="bookinfo.example.com", path="/productpage", headers={"end-user": "jason"})
SUBSETS = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2", "v3")]
REVIEWS = meshes.thing("DestinationRule", "reviews", {"host": "reviews", "subsets": SUBSETS}, namespace="default")


@cache
def bookinfo() -> tuple[Object, ...]:
    return tuple(analyze.objects(render.record("demo")))


def visit(asked: Request, *objects: Manifest) -> list[Hop]:
    judge = Evaluator(Mesh([*bookinfo(), *map(Object.read, objects)], USUAL))
    (ingress,) = judge.mesh.workloads.select({"istio": "ingressgateway"})
    return list(follow(judge, ingress, asked, CALLS))


def stars(hops: list[Hop]) -> dict[str, float]:
    """How often each version of reviews is called."""
    found = {name: share for (host, name), share in shares(hops).items() if host.startswith("reviews.")}
    return {name.removeprefix("reviews-"): round(share, 4) for name, share in found.items()}


def reviews(*http: Manifest) -> tuple[Manifest, ...]:
    spec = {"hosts": ["reviews"], "http": list(http)}
    return REVIEWS, meshes.thing("VirtualService", "reviews", spec, namespace="default")


def test_without_rules_each_version_has_a_third() -> None:
    assert stars(visit(PAGE)) == {"v1": 0.3333, "v2": 0.3333, "v3": 0.3333}


def test_a_page_calls_details_and_reviews_and_two_of_three_versions_call_ratings() -> None:
    called = shares(visit(PAGE))
    totals = {host.partition(".")[0]: 0.0 for host, _ in called}
    for (host, _), share in called.items():
        totals[host.partition(".")[0]] += share
    assert totals == pytest.approx({"productpage": 1, "details": 1, "reviews": 1, "ratings": 2 / 3})


def test_jason_has_a_version_of_his_own_and_nobody_else() -> None:
    rules = reviews(to("reviews", "v2", match=[{"headers": {"end-user": {"exact": "jason"}}}]), to("reviews", "v1"))
    assert stars(visit(JASON, *rules)) == {"v2": 1}
    assert stars(visit(PAGE, *rules)) == {"v1": 1}


def test_a_canary_has_its_share() -> None:
    parts = [{"destination": {"host": "reviews", "subset": f"v{i}"}, "weight": w} for i, w in ((1, 90), (3, 10))]
    hops = visit(PAGE, *reviews({"route": parts}))
    assert stars(hops) == {"v1": 0.9, "v3": 0.1}
    assert [round(hop.share, 4) for hop in hops if hop.request.host == "ratings"] == [0.1]


def test_who_is_refused_makes_no_further_calls() -> None:
    denial = {"selector": {"matchLabels": {"app": "reviews"}}, "action": "DENY", "rules": [{}]}
    hops = visit(PAGE, meshes.thing("AuthorizationPolicy", "deny", denial, namespace="default"))
    assert "ratings" not in {hop.request.host for hop in hops}


def test_what_the_gateway_does_not_let_through_ends_there() -> None:
    (hop,) = visit(Request(host="bookinfo.example.com", path="/admin"))
    assert hop.outcome.status == 404


def test_calls_in_a_circle_come_to_an_end() -> None:
    judge = Evaluator(Mesh(bookinfo(), USUAL))
    (details,) = judge.mesh.workloads.select({"app": "details"})
    circle = [Call(caller={"app": "details"}, host="details", port=9080, path="/")]
    asked = Request(host="details", port=9080)
    hops = list(follow(judge, details, asked, circle, outside=False))
    assert len(hops) == 11
