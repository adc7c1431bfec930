"""Namespaces and pods that an update would leave without an injector."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from cluster import revisions, uninjected
from cluster.orphans import Objects
from cluster.uninjected import Injection
from tests.cluster.standing import INJECT, OLD, REV, Manifest, cluster, deployment, injector, namespace, pod, service

FIRST = injector(
    "istio-sidecar-injector",
    "istiod",
    (REV, "default"),
    (OLD, "enabled"),
    pods=((INJECT, "true"), (REV, "default")),
)
SECOND = injector("istio-sidecar-injector-b", "istiod-b", (REV, "b"))
TAG = injector("istio-revision-tag-canary", "istiod-b", (REV, "canary"), tag="canary", pods=((REV, "canary"),))
ONE, TWO = service(), service("istiod-b", **{REV: "b"})
BOTH = (FIRST, SECOND, ONE, TWO)


def injection(objects: Iterable[Manifest], patches: Iterable[Manifest] = ()) -> Injection:
    return Injection.of([*objects, *patches], Objects.of(objects))


def said(
    before: Iterable[Manifest],
    after: Iterable[Manifest],
    *there: Manifest,
    labelled: tuple[Iterable[Manifest], Iterable[Manifest]] = ((), ()),
) -> str:
    """`there` stands beside what the stack has before; `labelled` are namespaces that it labels, before and after."""
    pair = injection(before, labelled[0]), injection(after, labelled[1])
    if not [*uninjected.changes(*pair)]:
        return ""
    stands = [one for one in before if one["kind"] != "Namespace"]
    return "\n".join(uninjected.problems(*pair, revisions.read(cluster(*stands, *there))))


def test_a_tag_that_goes_is_refused_while_namespaces_name_it() -> None:
    spaces = namespace("shop", **{REV: "canary"}), namespace("till", **{REV: "b"})
    assert said([*BOTH, TAG], BOTH, *spaces) == (
        "tag canary would be removed, while 1 namespace asks for sidecars by istio.io/rev=canary: shop. New pods would"
        " get no sidecar. Move the namespaces that this stack does not manage: run `kubectl label namespace NAME"
        " istio.io/rev=REVISION --overwrite` and restart their pods; REVISION is one of b, default: docs/upgrade.md"
    )


def test_a_namespace_does_not_come_to_a_label_while_the_one_that_answers_it_goes() -> None:
    tag = injector("istio-revision-tag-default", "istiod-b", (OLD, "enabled"), tag="default")
    was = injector("istio-sidecar-injector", "istiod", (REV, "default"))
    before = injection([was, SECOND, tag, ONE, TWO], [namespace("shop", **{REV: "b"})])
    moved, stays = namespace("shop", **{OLD: "enabled"}), namespace("shop", **{REV: "b"})
    (said,) = uninjected.answered_twice(before, injection(BOTH, [moved]))
    assert said.startswith(
        "namespace shop gets the label istio-injection=enabled in the update that deletes tag default, whose webhook"
        " answers it with the Service istio-system/istiod-b until the end"
    )
    new = namespace("new", **{OLD: "enabled"})
    assert len([*uninjected.answered_twice(before, injection(BOTH, [moved, new]))]) == 2
    assert not [*uninjected.answered_twice(before, injection(BOTH, [stays]))]
    assert not [*uninjected.answered_twice(injection(BOTH, [stays]), injection(BOTH, [moved]))]
    # An injector that stays lets the label go by an update, which comes before the namespaces'.
    assert not [*uninjected.answered_twice(injection(BOTH, [stays]), injection([was, SECOND, tag, ONE, TWO], [moved]))]
    same = injector("istio-sidecar-injector-b", "istiod-b", (REV, "b"), (OLD, "enabled"))
    assert not [*uninjected.answered_twice(before, injection([was, same, ONE, TWO], [moved]))]


def test_a_tag_that_goes_is_refused_while_pods_name_it_in_namespaces_without_a_label() -> None:
    pods = pod("shop", "cart", **{REV: "canary"}), pod("bank", "till", **{REV: "canary"})
    text = said([*BOTH, TAG], BOTH, namespace("shop"), namespace("bank", **{OLD: "disabled"}), *pods)
    assert "while 1 pod asks for sidecars by istio.io/rev=canary: shop/cart-5f6d8-x. " in text
    assert "Set another istio.io/rev in the pod template of the pods" in text


def test_a_pod_is_judged_by_the_template_that_makes_the_next_one() -> None:
    cart = deployment("shop", "cart", "cart:1", {REV: "canary"})
    running = pod("shop", "cart")  # in 1.10, injection has overwritten its label
    assert "shop/cart" in said([*BOTH, TAG], BOTH, namespace("shop"), cart, running)
    changed = deployment("shop", "cart", "cart:1", {REV: "b"})
    old = [*BOTH, TAG, cart]
    assert "shop/cart" in said(old, [*BOTH, cart], namespace("shop"), running)
    assert said(old, [*BOTH, changed], namespace("shop"), running) == ""
    assert said(old, BOTH, namespace("shop"), running) == ""  # its workload goes, too


def test_a_revision_that_goes_is_refused_while_namespaces_name_it_by_either_label() -> None:
    spaces = [namespace("a", **{REV: "default"}), namespace("b", **{OLD: "enabled"}), namespace("c")]
    text = said(BOTH, [SECOND, TWO], *spaces)
    assert "revision default would be removed, while 1 namespace asks for sidecars by istio.io/rev=default: a." in text
    assert "by istio-injection=enabled: b." in text
    assert "kubectl label namespace NAME istio-injection- istio.io/rev=REVISION" in text
    assert ": c" not in text


def test_a_pod_that_asks_for_the_default_injector_counts() -> None:
    text = said(BOTH, [SECOND, TWO], namespace("shop"), pod("shop", "cart", **{INJECT: "true"}))
    assert "asks for sidecars by sidecar.istio.io/inject=true: shop/cart" in text


def test_namespaces_that_the_same_update_moves_do_not_count() -> None:
    there = namespace("shop", **{OLD: "enabled"})
    labels = [namespace("shop", **{OLD: "enabled"})], [namespace("shop", **{REV: "b"})]
    assert said(BOTH, [SECOND, TWO], there, labelled=labels) == ""


def test_namespaces_that_the_same_update_unlabels_or_deletes_do_not_count() -> None:
    there = namespace("shop", **{OLD: "enabled"})
    assert said(BOTH, [SECOND, TWO], there, labelled=([there], [])) == ""
    assert said([*BOTH, there], [SECOND, TWO], there) == ""


def test_a_label_that_somebody_else_has_set_on_a_namespace_of_the_stack_counts() -> None:
    there = namespace("shop", **{REV: "canary"})
    bare = namespace("shop")
    assert "by istio.io/rev=canary: shop." in said([*BOTH, TAG, bare], [*BOTH, bare], there)


def test_namespaces_of_the_stack_have_a_key_of_their_own() -> None:
    labelled = namespace("shop", **{REV: "canary"})
    text = said([*BOTH, TAG], BOTH, labelled, labelled=([labelled], [labelled]))
    assert "Move the namespaces of this stack first: set `mesh:injectedNamespaces.NAME.revision`; REVISION is" in text
    assert "does not manage" not in text


def test_without_a_control_plane_that_stays_sidecars_are_taken_out() -> None:
    text = said(BOTH, [], namespace("shop", **{OLD: "enabled"}))
    assert "Remove the injection label from their namespaces" in text
    assert "REVISION" not in text


def test_the_default_labels_may_go_over_to_a_tag() -> None:
    tag = injector("istio-revision-tag-default", "istiod-b", (REV, "default"), (OLD, "enabled"), tag="default")
    there = namespace("shop", **{OLD: "enabled"})
    assert said(BOTH, [SECOND, TWO, tag], there) == ""


def test_a_label_that_the_webhook_of_another_answers_is_answered() -> None:
    theirs = injector("istio-revision-tag-canary-2", "istiod-of-others", (REV, "canary"), tag="canary")
    assert said([*BOTH, TAG], BOTH, namespace("shop", **{REV: "canary"}), theirs) == ""


def test_a_tag_of_others_for_a_control_plane_that_goes_is_refused_while_namespaces_name_it() -> None:
    theirs = injector("istio-revision-tag-prod", "istiod-b", (REV, "prod"), tag="prod")
    text = said(BOTH, [FIRST, ONE], theirs, namespace("shop", **{REV: "prod"}))
    assert text.startswith(
        "the Service istio-system/istiod-b, which webhook istio-revision-tag-prod calls, would be deleted,"
    )
    assert "by istio.io/rev=prod: shop. New pods would be refused (failurePolicy Fail)" in text
    assert said(BOTH, [FIRST, ONE], theirs, namespace("shop")) == ""


@pytest.mark.parametrize("before", [[*BOTH, TAG], BOTH], ids=["repointed", "new"])
def test_a_tag_for_a_control_plane_that_is_not_there_is_refused(before: list[Manifest]) -> None:
    moved = injector("istio-revision-tag-canary", "istiod-c", (REV, "canary"), tag="canary")
    assert said(before, [*BOTH, moved]) == (
        "tag canary would point to the Service istio-system/istiod-c of revision c, which does not exist: new pods that"
        " use it would be refused. Install that control plane first, or point it to b, default"
    )
    assert said(before, [*BOTH, moved], service("istiod-c", **{REV: "c"})) == ""


def test_a_tag_that_stays_while_its_control_plane_goes_is_refused() -> None:
    text = said([*BOTH, TAG], [FIRST, ONE, TAG])
    assert text.startswith(
        "tag canary would point to the Service istio-system/istiod-b of revision b, which the update deletes: new"
    )


def test_a_tag_that_is_moved_within_the_stack_is_no_matter() -> None:
    moved = injector("istio-revision-tag-canary", "istiod", (REV, "canary"), tag="canary")
    assert said([*BOTH, TAG], [*BOTH, moved], namespace("shop", **{REV: "canary"})) == ""


@pytest.mark.parametrize("more", [(), (injector("x", "istiod", (REV, "y"), tag="y"),)], ids=["same", "new tag"])
def test_the_cluster_is_asked_only_if_something_goes_or_moves(more: tuple[Manifest, ...]) -> None:
    assert not [*uninjected.changes(injection([*BOTH, TAG]), injection([*BOTH, TAG, *more]))]


def test_what_changes_is_known_without_the_cluster() -> None:
    moved = injector("istio-revision-tag-canary", "istiod", (REV, "canary"), tag="canary")
    assert [*uninjected.changes(injection([*BOTH, TAG]), injection([FIRST, ONE, moved]))] == [
        "Service istio-system/istiod-b is deleted",
        "no webhook answers the label istio.io/rev=b any more",
        "tag canary points to istio-system/istiod",
    ]
