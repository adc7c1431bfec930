"""The steps of an upgrade that a change of a stack is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from commands import render
from mesh.config import loading
from mesh.review.changes import StackObject
from mesh.review.review import Review
from tests.review import SOURCE, item

pytestmark = pytest.mark.slow

ENTRY = {"1-30-3": {"release": "1.30", "profile": "demo"}}
TAGS = {"stable": "default", "canary": "1-30-3"}


@cache
def made(text: str) -> Sequence[StackObject]:
    config = {
        "mesh:profile": "demo",
        "mesh:context": "here",
        "mesh:bookinfo": "true",
        "mesh:injectedNamespaces": '{"default": "existing"}',
        **{f"mesh:{key}": one if isinstance(one, str) else json.dumps(one) for key, one in json.loads(text).items()},
    }
    resources = render.record("dev", stack=loading.load(config))
    return [item(manifest) for one in resources for manifest in render.manifests([one])]


def steps(before: dict[str, Any], after: dict[str, Any]) -> Sequence[str]:
    old, new = made(json.dumps(before)), made(json.dumps(after))
    return Review.of("dev", SOURCE, old, new, loading.load({}).settings.mesh_names).steps


def named(revision: str) -> dict[str, Any]:
    return {"default": {"ownership": "existing", "revision": revision}}


def test_each_step_of_the_road_is_named() -> None:
    both = {"controlPlanes": ENTRY, "revisionTags": TAGS}
    moved = {**both, "injectedNamespaces": named("canary")}
    gateways = {**moved, "gateways": {"istio-ingressgateway": {"revision": "canary"}}}
    default = {**gateways, "revisionTags": {**TAGS, "default": "1-30-3"}}
    assert steps({}, {"base": {"release": "1.30"}}) == [
        "changes 15 definitions of Istio's API, which then serves v1, v1beta1"
    ]
    assert steps({"base": {"release": "1.30"}}, both) == [
        "adds control plane 1-30-3 (1.30.3)",
        "adds tag canary for 1-30-3 (1.30.3)",
        "adds tag stable for default (1.10.3)",
    ]
    assert steps(both, moved) == ["moves namespace default from default (1.10.3) to 1-30-3 (1.30.3): restarts 6 pods"]
    assert steps(moved, gateways) == [
        "moves istio-ingressgateway from default (1.10.3) to 1-30-3 (1.30.3): restarts 1 pod"
    ]
    assert steps(gateways, default) == ["adds tag default for 1-30-3 (1.30.3)"]
    assert steps(moved, both) == ["moves namespace default from 1-30-3 (1.30.3) to default (1.10.3): restarts 6 pods"]


def test_a_tag_that_moves_takes_its_namespaces_along() -> None:
    before = {"controlPlanes": ENTRY, "revisionTags": {"stable": "default"}, "injectedNamespaces": named("stable")}
    after = {**before, "revisionTags": {"stable": "1-30-3"}}
    assert steps(before, after) == [
        "moves namespace default from default (1.10.3) to 1-30-3 (1.30.3): restarts 6 pods",
        "moves tag stable from default (1.10.3) to 1-30-3 (1.30.3)",
    ]


def test_a_new_stack_and_a_change_of_something_else_have_no_steps() -> None:
    assert steps({}, {"meshConfig": {"accessLogFile": "/dev/stdout"}}) == []
    assert Review.of("dev", SOURCE, [], made("{}"), loading.load({}).settings.mesh_names).steps == []
