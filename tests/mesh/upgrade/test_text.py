"""Changes in words for a terminal, and as data."""

from __future__ import annotations

import json
from dataclasses import replace

from mesh.releases.differences import Severity
from mesh.upgrade.changes import Change, Place, as_data, gathered
from mesh.upgrade.text import lines


def change(severity: Severity = Severity.CHANGED, *subjects: str, name: str = "mirror-host", kept: str = "") -> Change:
    return Change(
        severity=severity,
        name=name,
        since="1.28",
        places=[Place(subject, origin="mesh:apps.shop") for subject in subjects or ("Service shop/cart",)],
        before="a",
        after="b",
        remedy="c",
        source="1.yaml",
        kept=kept,
    )


def test_no_change_is_said_in_one_line() -> None:
    assert list(lines([])) == ["nothing changes in meaning"]


def test_the_worst_comes_first_and_the_numbers_last() -> None:
    found = gathered([change(Severity.NOTE), change(), change(Severity.REFUSED), change(name="other")])
    said = list(lines(found))
    assert [line for line in said if not line.startswith(" ")] == [
        "Refused, or no longer read:",
        "Means something else:",
        "Notes:",
        "1 refused, 2 changed, 1 to note",
    ]


def test_a_change_says_where_since_when_and_what_to_do() -> None:
    assert list(lines([change(kept="d")]))[1:-1] == [
        "  mirror-host, since Istio 1.28",
        "    where:  Service shop/cart (from mesh:apps.shop)",
        "    now:    a",
        "    then:   b",
        "    do:     c",
        "    or:     d",
        "    source: 1.yaml",
    ]


def test_of_many_places_some_are_named_and_the_others_counted() -> None:
    subjects = [f"Service shop/{letter}" for letter in "abcde"]
    (where,) = [line for line in lines([change(Severity.NOTE, *subjects)]) if "where" in line]
    assert where.endswith("Service shop/a, shop/b, shop/c and 2 more (from mesh:apps.shop)")


def test_places_of_several_kinds_and_files_say_so_of_each() -> None:
    several = [Place("Service shop/a", origin="a.yaml:1"), Place("ServiceEntry shop/b", "hosts", "b.yaml:1")]
    (where,) = [line for line in lines([replace(change(), places=several)]) if "where" in line]
    assert where.endswith("Service shop/a (from a.yaml:1), ServiceEntry shop/b hosts (from b.yaml:1)")


def test_lines_fit_a_terminal() -> None:
    long = "word " * 100
    text = list(lines([change(kept=long)]))
    assert max(map(len, text)) <= 120
    assert sum(line.count("word") for line in text) == 100


def test_equal_words_about_several_objects_are_one_change() -> None:
    (found,) = gathered([change(Severity.NOTE, "Service b"), change(Severity.NOTE, "Service a")] * 2)
    assert [place.subject for place in found.places] == ["Service a", "Service b"]


def test_data_has_all_places_and_no_empty_fields() -> None:
    (found,) = as_data([change(Severity.REFUSED)])
    assert json.loads(json.dumps(found)) == {
        "severity": "refused",
        "change": "mirror-host",
        "since": "1.28",
        "places": [{"subject": "Service shop/cart", "origin": "mesh:apps.shop"}],
        "before": "a",
        "after": "b",
        "remedy": "c",
        "source": "1.yaml",
    }
