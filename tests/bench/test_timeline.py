"""A timeline is read from the engine's events, and its critical path from what waits for what."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from bench import chart, timeline


def urn(name: str) -> str:
    return f"urn:pulumi:dev::mesh::mesh:istio:Base$kubernetes:core/v1:ConfigMap::{name}"


def event(kind: str, name: str, op: str = "create") -> dict[str, Any]:
    return {kind: {"metadata": {"op": op, "urn": urn(name)}}}


def made(name: str, *after: str) -> dict[str, Any]:
    parent = "urn:pulumi:dev::mesh::mesh:istio:Base::base"
    return {
        "urn": urn(name),
        "type": "kubernetes:core/v1:ConfigMap",
        "parent": parent,
        "dependencies": [urn(one) for one in after],
    }


EVENTS = [
    (100.0, {"preludeEvent": {}}),
    (101.0, event("resourcePreEvent", "first")),
    (101.0, event("resourcePreEvent", "short")),
    (101.5, event("resOutputsEvent", "short")),
    (102.0, event("resourcePreEvent", "same", "same")),
    (103.0, event("resOutputsEvent", "first")),
    (103.5, event("resourcePreEvent", "last")),
    (104.0, event("resOutputsEvent", "last")),
]
STATE = {"resources": [made("first"), made("short"), made("same"), made("last", "first", "short")]}


def test_a_bar_is_as_long_as_the_engine_was_making_its_object() -> None:
    found = {bar.name: (bar.start, bar.end, bar.component) for bar in timeline.bars(EVENTS, STATE)}
    assert found == {
        "ConfigMap first": (1.0, 3.0, "base"),
        "ConfigMap short": (1.0, 1.5, "base"),
        "ConfigMap last": (3.5, 4.0, "base"),
    }


def test_the_critical_path_leads_through_what_was_waited_for_longest() -> None:
    path = timeline.critical_path(timeline.bars(EVENTS, STATE))
    assert [bar.name for bar in path] == ["ConfigMap first", "ConfigMap last"]


def test_nothing_was_made_and_there_is_no_path() -> None:
    assert timeline.critical_path(timeline.bars([], {})) == []


def test_the_picture_shows_every_object_and_the_path_in_red() -> None:
    bars = timeline.bars(EVENTS, STATE)
    text = chart.draw(bars, timeline.critical_path(bars), "a & b")
    drawn = ElementTree.fromstring(text)
    words = [part.text for part in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"ConfigMap first", "ConfigMap short", "ConfigMap last"} <= set(words)
    assert text.count(f'fill="{chart._CRITICAL}"/>') == 2
