"""Reviews of changes of a stack's config, rendered by the real program; changes.yaml lists them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import render, sources
from mesh.core import kinds
from mesh.core.merge import merged
from mesh.core.names import DEFAULT_NAMES
from mesh.review import risks
from mesh.review.changes import StackObject
from mesh.review.review import Review, Source

pytestmark = pytest.mark.slow

FILE = Path(__file__).with_name("changes.yaml")
TABLE: Mapping[str, Any] = yaml.safe_load(FILE.read_text())
CASES: list[Mapping[str, Any]] = TABLE["changes"]
PASSWORDS = {"mesh-addons:grafanaPassword": "not shown", "mesh-addons:kialiSigningKey": "n" * 32}
TOLD_BY_ENGINES = {"secret changed", "object replaced"}
"""Risks that no change of a config shows; other tests have them."""


@cache
def recorded(keys: str) -> list[StackObject]:
    """The objects that a config, given as JSON, renders to."""
    config = {f"mesh:{key}": one if isinstance(one, str) else json.dumps(one) for key, one in json.loads(keys).items()}
    return list(sources.registered(render.record("case", {**config, **PASSWORDS})))


def review(case: Mapping[str, Any]) -> Review:
    base = TABLE["bases"][case.get("from", "plain")]
    sides = [recorded(json.dumps(keys, sort_keys=True)) for keys in (base, merged(base, case["change"]))]
    before, after = reversed(sides) if case.get("back") else sides
    return Review.of("case", Source(kind="", text=""), before, after, DEFAULT_NAMES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_review_finds_exactly_the_expected_risks_and_changes_of_requests(case: Mapping[str, Any]) -> None:
    found = review(case)
    assert [f"{risk.name} | {risk.object} | {risk.reason}" for risk in found.risks] == case.get("risks", [])
    assert [str(shift) for shift in found.request_changes] == case.get("requests", [])
    assert list(found.not_evaluated) == case.get("notEvaluated", [])


def test_a_policy_that_allows_nothing_any_more_loosens_nothing() -> None:
    before = recorded(json.dumps(TABLE["bases"]["pathed"], sort_keys=True))
    after = [item if item.object.ref.name != "ratings" else _with_path(item, "ratings/*") for item in before]
    found = Review.of("case", Source(kind="", text=""), before, after, DEFAULT_NAMES)
    assert [risk.name for risk in found.risks] == ["requests refused"]
    assert [str(shift) for shift in found.request_changes] == [
        "ratings:9080/ratings/0 from reviews-v1: ratings → 403 (none of AuthorizationPolicy"
        " bookinfo/bookinfo-default-deny, bookinfo/ratings allows it)"
    ]


def _with_path(item: StackObject, path: str) -> StackObject:
    """The object with another path, if it is an AuthorizationPolicy."""
    body = copy.deepcopy(dict(item.object.body))
    for rule in body["spec"].get("rules", ()) if item.object.kind == kinds.AUTHORIZATION_POLICY else ():
        rule["to"][0]["operation"]["paths"] = [path]
    return replace(item, object=replace(item.object, body=body))


def test_exactly_the_changes_called_harmless_have_no_risks() -> None:
    assert {case["name"] for case in CASES if not case.get("risks")} == {
        case["name"] for case in CASES if case["name"].startswith("harmless")
    }


def test_every_kind_of_risk_has_a_change_that_shows_it() -> None:
    told = {risk.partition(" | ")[0] for case in CASES for risk in case.get("risks", [])}
    assert told == {kind.name for kind in risks.RISKS} - TOLD_BY_ENGINES
