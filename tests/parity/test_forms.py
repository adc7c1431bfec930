"""The digests of two objects are equal exactly if `make parity` finds no unintended difference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.test_parity import DEPLOYMENT, DIFFERENT, SAME, SCALER, Change, changed, containers
from tests.parity import forms


def found(theirs: Any, ours: Any, shown: bool = False) -> list[str]:
    """The differences between two objects; with `shown` Istio's object is known."""
    known = forms.of_manifests([theirs], istios=True)
    here = forms.of_manifests([ours], istios=False)
    return list(forms.differences(forms.digests(known), here, known if shown else None))


@pytest.mark.parametrize("case", SAME)
def test_a_difference_without_effect_does_not_change_a_digest(case: str) -> None:
    manifest, change = SAME[case]
    assert found(changed(manifest, change), manifest) == []


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_difference_with_effect_changes_the_digest_of_its_part(case: str) -> None:
    manifest, change, expected = DIFFERENT[case]
    told = found(changed(manifest, change), manifest)
    parts = [line.removesuffix(" is not as in Istio").partition(": ")[2] for line in told]
    assert parts
    for part in parts:
        assert any(path.startswith(part) for path, _, _ in expected), (part, expected)


CHANGES: dict[str, tuple[Change, str]] = {
    "spec.template.spec.containers[front]": (
        lambda m: containers(m)[0].update(image="front:2"),
        'Deployment shop/front: spec.template.spec.containers[front].image: "front:2" in Istio, "front:1" here',
    ),
    "spec.minReadySeconds": (
        lambda m: m["spec"].update(minReadySeconds=5),
        "Deployment shop/front: spec.minReadySeconds: 5 in Istio, nothing here",
    ),
}


@pytest.mark.parametrize("part", CHANGES)
def test_without_istios_objects_the_part_is_named_and_with_them_the_field(part: str) -> None:
    change, line = CHANGES[part]
    theirs = changed(DEPLOYMENT, change)
    assert found(theirs, DEPLOYMENT) == [f"Deployment shop/front: {part} is not as in Istio"]
    assert found(theirs, DEPLOYMENT, shown=True) == [line]


def test_an_object_that_one_side_lacks_is_named() -> None:
    known, here = (forms.of_manifests([m], istios=False) for m in (DEPLOYMENT, SCALER))
    assert list(forms.differences(forms.digests(known), here)) == [
        "Deployment shop/front: only in Istio",
        "HorizontalPodAutoscaler shop/front: only here",
    ]


def test_replicas_do_not_count_where_istios_objects_have_an_autoscaler() -> None:
    scaled = changed(DEPLOYMENT, lambda m: m["spec"].update(replicas=4))
    bare = changed(DEPLOYMENT, lambda m: m["spec"].pop("replicas"))
    here = forms.of_manifests([bare, SCALER], istios=False)
    assert list(forms.differences(forms.digests(forms.of_manifests([scaled, SCALER], istios=True)), here)) == []
    assert found(scaled, bare) == ["Deployment shop/front: spec.replicas is not as in Istio"]
