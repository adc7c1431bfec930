"""Definitions of Istio's API never go down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from cluster import definitions
from cluster.survey import Definition
from mesh import api, releases

VIRTUAL_SERVICES = "virtualservices.networking.istio.io"


def standing(release: str, **stored: Collection[str]) -> dict[str, Definition]:
    """The definitions of a release, with the versions in which objects are stored by the first part of their name."""
    versions = releases.get(release).api
    return {
        api.definition_name(kind): Definition(
            {}, frozenset(versions.of(kind)), frozenset(stored.get(kind.__name__, ()))
        )
        for kind in api.kinds()
        if versions.of(kind)
    }


def said(found: dict[str, Definition], wanted: str, excluded: Collection[str] = ()) -> str:
    return definitions.lowered(found, definitions.of_release(releases.get(wanted), excluded))


@pytest.mark.parametrize(("there", "wanted"), [("1.10", "1.10"), ("1.10", "1.30"), ("1.30", "1.30")])
def test_the_same_or_newer_definitions_take_nothing_away(there: str, wanted: str) -> None:
    assert said(standing(there, VirtualService=["v1alpha3"]), wanted) == ""


def test_older_definitions_are_refused_with_what_they_would_take_away_and_what_keeps_it() -> None:
    found = {name: one for name, one in standing("1.30", VirtualService=["v1"]).items() if name == VIRTUAL_SERVICES}
    text = said(found, "1.10")
    assert f"{VIRTUAL_SERVICES} has objects stored as v1" in text
    assert '`mesh:base: { release: "1.30" }` keeps them' in text
    only_served = {VIRTUAL_SERVICES: replace(found[VIRTUAL_SERVICES], stored=frozenset())}
    assert f"{VIRTUAL_SERVICES} serves v1:" not in text
    assert f"{VIRTUAL_SERVICES} serves v1." in said(only_served, "1.10")


def test_definitions_that_the_stack_does_not_bring_are_no_matter() -> None:
    found = {VIRTUAL_SERVICES: standing("1.30")[VIRTUAL_SERVICES]}
    assert said(found, "1.10", excluded=[VIRTUAL_SERVICES]) == ""
    alone = {"proxyconfigs.networking.istio.io": standing("1.30")["proxyconfigs.networking.istio.io"]}
    assert said(alone, "1.10") == ""


def test_versions_that_no_release_here_knows_need_a_newer_one() -> None:
    found = {VIRTUAL_SERVICES: Definition({}, frozenset({"v2"}))}
    text = said(found, "1.30")
    assert "are newer than those of all supported releases" in text
    assert "A newer mesh:base.release would keep them" in text


def test_definitions_are_found_among_the_objects_of_a_stack() -> None:
    other = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a.b"}}
    made = api.definitions(releases.get("1.10").api)
    assert definitions.among([*made, other]) == definitions.of_release(releases.get("1.10"))


def test_definitions_do_not_go_while_a_control_plane_stays() -> None:
    text = definitions.deleted([VIRTUAL_SERVICES], ["default", "b"])
    assert text.startswith("1 definition of Istio's API would be deleted, with all objects of the kind, while the")
    assert (
        f"control planes of revisions b, default read them: {VIRTUAL_SERVICES}. Leave enabled, release and excludedCRDs"
        in text
    )
    assert definitions.deleted([VIRTUAL_SERVICES], []) == definitions.deleted([], ["default"]) == ""
