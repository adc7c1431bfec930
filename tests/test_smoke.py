"""What make smoke reads off the routes, and how it judges what it saw."""

from __future__ import annotations

from typing import Any

import pytest

from commands.routes import Rule, rules
from commands.smoke import NOBODY, fits, version_of


def object_of(spec: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    return {"metadata": {"name": "one", "namespace": namespace}, "spec": spec}


def to(**weights: int) -> dict[str, Any]:
    targets = weights.items()
    return {"route": [{"destination": {"host": "reviews", "subset": s}, "weight": w} for s, w in targets]}


def user(name: str) -> dict[str, Any]:
    return {"headers": {"end-user": {"exact": name}}}


SUBSETS = [{"name": "old", "labels": {"version": "v1"}}, {"name": "new", "labels": {"version": "v3"}}]
DESTINATION = object_of({"host": "reviews", "subsets": SUBSETS})


def service(*http: dict[str, Any], host: str = "reviews", **more: Any) -> dict[str, Any]:
    return object_of({"hosts": [host], "http": list(http), **more})


def test_without_routes_any_version_may_answer() -> None:
    assert rules([], [], "default").default == Rule({})


def test_subsets_are_read_as_versions_and_weights_as_shares() -> None:
    found = rules([service(to(old=90, new=10))], [DESTINATION], "default")
    assert found.default == Rule({"v1": 0.9, "v3": 0.1})


def test_a_single_target_needs_no_weight() -> None:
    route = {"route": [{"destination": {"host": "reviews", "subset": "new"}}]}
    assert rules([service(route)], [DESTINATION], "default").default == Rule({"v3": 1.0})


def test_a_users_route_is_read_apart_from_everybodys() -> None:
    found = rules([service({"match": [user("jason")], **to(new=100)}, to(old=100))], [DESTINATION], "default")
    assert found.users == {"jason": Rule({"v3": 1.0})}
    assert found.default == Rule({"v1": 1.0})


def test_what_comes_after_everybodys_route_does_not_count() -> None:
    found = rules([service(to(old=100), {"match": [user("jason")], **to(new=100)})], [DESTINATION], "default")
    assert found.users == {}


def test_other_conditions_are_counted_and_not_tried() -> None:
    other = {"match": [{"uri": {"prefix": "/x"}, **user("jason")}], **to(new=100)}
    assert rules([service(other, to(old=100))], [DESTINATION], "default").unread == 1


@pytest.mark.parametrize("host", ["reviews", "reviews.default", "reviews.default.svc.cluster.local"])
def test_a_host_is_known_in_each_of_its_forms(host: str) -> None:
    assert rules([service(to(old=100), host=host)], [DESTINATION], "default").default.shares


@pytest.mark.parametrize(
    "other",
    [
        service(to(old=100), host="ratings"),
        service(to(old=100), host="reviews.other"),
        service(to(old=100), gateways=["edge"]),
        object_of({"hosts": ["reviews"], "http": [to(old=100)]}, "other"),
    ],
)
def test_routes_of_others_and_of_gateways_do_not_count(other: dict[str, Any]) -> None:
    assert rules([other], [DESTINATION], "default").default == Rule({})


@pytest.mark.parametrize(
    ("version", "hits", "good"),
    [("v1", 360, True), ("v1", 400, False), ("v3", 40, True), ("v3", 0, False), ("v2", 0, True), ("v2", 1, False)],
)
def test_a_share_may_be_off_by_chance_and_no_more(version: str, hits: int, good: bool) -> None:
    assert fits(version, hits, 400, Rule({"v1": 0.9, "v3": 0.1})) is good


def test_no_answer_is_wrong_unless_the_route_makes_requests_fail() -> None:
    assert not fits(NOBODY, 1, 400, Rule({}))
    assert fits(NOBODY, 200, 400, Rule({"v1": 1.0}, may_fail=True))


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"podname": "reviews-v2-7bf8-x", "reviews": [{}]}, "v2"),
        ({"reviews": [{"text": "fine"}]}, "v1"),
        ({"reviews": [{"rating": {"stars": 5, "color": "black"}}]}, "v2"),
        ({"reviews": [{"rating": {"stars": 5, "color": "red"}}]}, "v3"),
        ({"error": "unavailable"}, NOBODY),
        ([], NOBODY),
    ],
)
def test_a_version_is_known_by_its_pod_or_by_its_stars(answer: Any, version: str) -> None:
    assert version_of(answer) == version
