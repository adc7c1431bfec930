"""What a release says of earlier ones is complete, and in line with what it knows otherwise."""

from __future__ import annotations

import string

import pytest

from mesh import releases
from mesh.releases.differences import Difference, Gone, order

OLD, NEW = releases.get("1.10"), releases.get("1.30")
FOUND = NEW.differences
FACTS: list[Difference | Gone] = [
    *FOUND.changed.values(),
    *(one for part in (FOUND.settings, FOUND.variables, FOUND.annotations, FOUND.profiles) for one in part.values()),
    *FOUND.filters.values(),
]


def test_each_setting_that_is_gone_is_explained() -> None:
    assert FOUND.settings.keys() == NEW.api.lacks


def test_each_variable_that_is_gone_is_explained() -> None:
    assert FOUND.variables.keys() == OLD.variables - NEW.variables


def test_each_annotation_that_is_gone_is_explained() -> None:
    assert FOUND.annotations.keys() == OLD.annotations.readers.keys() - NEW.annotations.readers.keys()


def test_each_profile_that_is_gone_is_explained() -> None:
    assert FOUND.profiles.keys() == set(OLD.profiles.names) - set(NEW.profiles.names)


@pytest.mark.parametrize("name", sorted(name for name, one in FOUND.changed.items() if one.variable))
def test_a_variable_that_keeps_the_earlier_behavior_is_one_of_istiods(name: str) -> None:
    variable = FOUND.changed[name].variable
    assert variable
    assert variable[0] in NEW.variables


def test_all_that_compatibility_versions_keep_of_sidecars_and_gateways_is_a_difference() -> None:
    kept = {name for data in NEW.profiles.changed.values() for name in data.get("pilot", {}).get("env", {})}
    assert kept <= {one.variable[0] for one in FOUND.changed.values() if one.variable}


def test_a_compatibility_version_keeps_what_a_later_release_changed() -> None:
    by_variable = {one.variable: one for one in FOUND.changed.values() if one.variable}
    for version, data in NEW.profiles.changed.items():
        for pair in data.get("pilot", {}).get("env", {}).items():
            assert order(by_variable[pair].since) == (1, order(version)[1] + 1)


def test_each_fact_lies_between_the_two_releases_and_has_a_source_and_a_remedy() -> None:
    for fact in FACTS:
        assert order(OLD.name) < order(fact.since) <= order(NEW.name)
        assert fact.source
        assert fact.remedy


def test_texts_are_parts_of_sentences() -> None:
    for fact in FACTS:
        texts = [fact.after, fact.remedy, *([fact.before] if isinstance(fact, Difference) else [])]
        for text in texts:
            assert list(string.Formatter().parse(text)) or not text
            assert not text.endswith(".")
            assert "  " not in text


def test_a_filters_name_of_old_is_none_of_today() -> None:
    assert not FOUND.filter_names.keys() & set(FOUND.filter_names.values())
    assert all(name.startswith("envoy.filters.") for name in FOUND.filter_names.values())
