"""Namespaces that an update would leave without an injector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from cluster import uninjected
from cluster.client import Answer
from cluster.uninjected import Injection
from tests.fake_api import FakeApi, listing, namespace

WEBHOOKS = "GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
NAMESPACES = "GET /api/v1/namespaces"
REV, OLD = "istio.io/rev", "istio-injection"
SERVICES = frozenset({("istio-system", "istiod"), ("istio-system", "istiod-b")})


def injector(name: str, service: str, *labels: tuple[str, str]) -> dict[str, Any]:
    def hook(key: str, value: str) -> dict[str, Any]:
        chosen = [{"key": key, "operator": "In", "values": [value]}, {"key": "x", "operator": "DoesNotExist"}]
        client = {"service": {"namespace": "istio-system", "name": service}}
        return {"clientConfig": client, "namespaceSelector": {"matchExpressions": chosen}}

    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [hook(*label) for label in labels],
    }


def labelled(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


FIRST = injector("istio-sidecar-injector", "istiod", (REV, "default"), (OLD, "enabled"))
SECOND = injector("istio-sidecar-injector-b", "istiod-b", (REV, "b"))
TAG = injector("istio-revision-tag-canary", "istiod-b", (REV, "canary"))


def said(
    before: Iterable[dict[str, Any]],
    after: Iterable[dict[str, Any]],
    *namespaces: dict[str, Any],
    others: Iterable[dict[str, Any]] = (),
    found: Mapping[str, Answer] = {},
) -> str:
    before = list(before)
    api = FakeApi({WEBHOOKS: listing(*before, *others), NAMESPACES: listing(*namespaces), **found})
    pair = Injection.of(before), Injection.of(after)
    if not uninjected.changes(*pair):
        return ""
    return "\n".join(uninjected.problems(*pair, SERVICES, api))


def test_a_tag_that_goes_is_refused_while_namespaces_name_it() -> None:
    shop, till = namespace("shop", **{REV: "canary"}), namespace("till", **{REV: "b"})
    text = said([FIRST, SECOND, TAG], [FIRST, SECOND], shop, till)
    assert text.startswith("1 namespace would ask for sidecars by istio.io/rev=canary, which nothing answers any more")
    assert ": shop. Move those of this stack first" in text


def test_a_revision_that_goes_is_refused_while_namespaces_name_it_by_either_label() -> None:
    spaces = [namespace("a", **{REV: "default"}), namespace("b", **{OLD: "enabled"}), namespace("c")]
    text = said([FIRST, SECOND], [SECOND], *spaces)
    assert (
        "by istio.io/rev=default, which nothing answers any more, so that new pods would come without one: a." in text
    )
    assert "by istio-injection=enabled, which nothing answers any more" in text
    assert ": c" not in text


def test_namespaces_that_the_same_update_moves_do_not_count() -> None:
    there = namespace("shop", **{OLD: "enabled"})
    moved = labelled("shop", **{REV: "b"})
    assert said([FIRST, SECOND, labelled("shop", **{OLD: "enabled"})], [SECOND, moved], there) == ""


def test_the_default_labels_may_go_over_to_a_tag() -> None:
    tag = injector("istio-revision-tag-default", "istiod-b", (REV, "default"), (OLD, "enabled"))
    there = namespace("shop", **{OLD: "enabled"})
    assert said([FIRST, SECOND], [SECOND, tag], there) == ""


def test_a_label_that_the_webhook_of_another_answers_is_answered() -> None:
    theirs = injector("istio-revision-tag-canary-2", "istiod-of-others", (REV, "canary"))
    shop = namespace("shop", **{REV: "canary"})
    assert said([FIRST, TAG], [FIRST], shop, others=[theirs]) == ""


def test_a_tag_that_is_moved_to_a_control_plane_that_is_not_there_is_refused() -> None:
    moved = injector("istio-revision-tag-canary", "istiod-c", (REV, "canary"))
    text = said([FIRST, TAG], [FIRST, moved])
    assert text.startswith(
        "istio.io/rev=canary would lead to the control plane of Service istio-system/istiod-c, which"
    )
    path = "GET /api/v1/namespaces/istio-system/services/istiod-c"
    assert said([FIRST, TAG], [FIRST, moved], found={path: Answer(200, {})}) == ""


def test_a_tag_that_is_moved_within_the_stack_is_no_matter() -> None:
    moved = injector("istio-revision-tag-canary", "istiod", (REV, "canary"))
    assert said([FIRST, SECOND, TAG], [FIRST, SECOND, moved], namespace("shop", **{REV: "canary"})) == ""


@pytest.mark.parametrize("after", [[FIRST, SECOND, TAG], [FIRST, SECOND, TAG, injector("x", "istiod", (REV, "y"))]])
def test_the_cluster_is_asked_only_if_a_label_changes(after: list[dict[str, Any]]) -> None:
    assert not uninjected.changes(Injection.of([FIRST, SECOND, TAG]), Injection.of(after))
