"""Definitions of Istio's API never go down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from cluster import definitions
from cluster.survey import Definition
from mesh import api, releases
from tests.fake_api import SURVEY

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
    return "\n".join(definitions.problems(replace(SURVEY, definitions=found), releases.get(wanted), excluded))


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


def test_a_definition_that_would_go_with_its_objects_is_refused() -> None:
    name = "proxyconfigs.networking.istio.io"
    found = {name: standing("1.30")[name]}
    assert f"{name} would be deleted with all its objects" in said(found, "1.10")
    assert said(found, "1.10", excluded=[name]) == ""


def test_versions_that_no_release_here_knows_are_kept_by_a_newer_release() -> None:
    found = {VIRTUAL_SERVICES: Definition({}, frozenset({"v2"}))}
    assert "keep them, with a newer mesh:release" in said(found, "1.30")
