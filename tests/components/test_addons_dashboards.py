"""Grafana's dashboards of each release, compared with those of Istio's samples."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from mesh import releases
from mesh.releases.dashboards import WIDTH, Dashboard, Panel, Query, Row

REFERENCE = os.environ.get("MESH_REFERENCE")
MADE: Final = {name: releases.get(name).addons.grafana.dashboards for name in releases.NAMES}
OURS: Final = {
    (release, f"{file}.json"): found
    for release, made in MADE.items()
    for folder in made.folders.values()
    for file, found in folder.items()
}
"""Dashboards by release and file."""
OF_ISTIO: Final = [key for key in OURS if "bookinfo" not in key[1]]
OWN_KINDS: Final = {"graph": "graph", "singlestat": "number", "timeseries": "graph", "stat": "number"}

of_reference = pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
each = pytest.mark.parametrize("key", OURS, ids=" ".join)
each_of_istio = pytest.mark.parametrize("key", OF_ISTIO, ids=" ".join)
Key = tuple[str, str]


def document(key: Key) -> dict[str, Any]:
    return MADE[key[0]].document(OURS[key])


def sample(release: str) -> dict[str, dict[str, Any]]:
    """The dashboards of the release's sample, by file."""
    folder = Path(str(REFERENCE)) / f"istio-{releases.get(release).version}" / "addons"
    found = yaml.safe_load((folder / "dashboards.yaml").read_text())
    return {one["file"]: one for one in found} if isinstance(found, list) else found


def plain(text: str | None) -> str:
    """PromQL or a legend without white space and empty braces, which have no meaning in either."""
    return re.sub(r"\s+", "", text or "").replace("{}", "")


def asked(queries: list[Any]) -> list[tuple[str, ...]]:
    """The queries of a panel of the sample, with their legends where the sample has any."""
    return [
        (plain(one["expr"]), plain(one.get("legendFormat"))) if isinstance(one, dict) else (plain(one),)
        for one in queries
    ]


@of_reference
@pytest.mark.parametrize("release", releases.NAMES)
def test_there_are_the_dashboards_of_istios_sample_and_one_for_bookinfo(release: str) -> None:
    ours = {file for name, file in OURS if name == release}
    assert ours - set(sample(release)) == {"bookinfo-dashboard.json"}
    assert set(sample(release)) <= ours


@of_reference
@each_of_istio
def test_a_dashboard_has_the_title_the_variables_and_the_uid_of_the_sample_if_that_has_one(key: Key) -> None:
    ours, theirs = document(key), sample(key[0])[key[1]]
    assert (ours["title"], ours["uid"]) == (theirs["title"], theirs["uid"] or ours["uid"])
    variables = [(v["name"], plain(v["query"]), v["type"]) for v in ours["templating"]["list"]]
    assert variables == [(v["name"], plain(v["query"]), v["type"]) for v in theirs["variables"]]


@of_reference
@each_of_istio
def test_a_dashboard_has_the_panels_and_the_queries_of_the_sample(key: Key) -> None:
    theirs = sample(key[0])[key[1]]["panels"]
    ours = [panel for panel in document(key)["panels"] if panel["type"] != "row"]
    assert [(panel.get("title") or "", panel["type"]) for panel in ours] == [
        (panel["title"] or "", panel["type"]) for panel in theirs
    ]
    for panel, expected in zip(ours, theirs, strict=True):
        wanted = asked(expected["queries"])
        found = [(plain(q["expr"]), plain(q.get("legendFormat"))) for q in panel.get("targets", [])]
        assert [one[: len(other)] for one, other in zip(found, wanted, strict=True)] == wanted, panel.get("title")


@each
def test_a_documents_rows_panels_and_queries_are_those_of_the_dashboard(key: Key) -> None:
    found, row = [], ""
    for panel in document(key)["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
            continue
        queries = [(q["expr"], q.get("legendFormat", "")) for q in panel.get("targets", [])]
        found.append((row, panel.get("title") or "", OWN_KINDS.get(panel["type"], panel["type"]), queries))
    assert found == [
        (row.title or "", p.title, p.kind, [(q.expr, q.legend) for q in p.queries]) for row, p in OURS[key].panels
    ]


@each
def test_no_two_panels_of_a_dashboard_overlap(key: Key) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in document(key)["panels"]:
        spot = panel["gridPos"]
        cells = {(spot["x"] + x, spot["y"] + y) for x in range(spot["w"]) for y in range(spot["h"])}
        assert max(x for x, _ in cells) < WIDTH, panel["title"]
        assert not taken & cells, panel["title"]
        taken |= cells


@each
def test_every_variable_in_a_query_is_defined_by_its_dashboard_or_by_grafana(key: Key) -> None:
    used = re.findall(r"\$\{?(\w+)", json.dumps(document(key)))
    assert set(used) - {"__all", "__rate_interval"} <= {variable.name for variable in OURS[key].variables}


@pytest.mark.parametrize("release", releases.NAMES)
def test_no_two_dashboards_have_the_same_uid(release: str) -> None:
    uids = [dashboard.uid for (name, _), dashboard in OURS.items() if name == release]
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("release", releases.NAMES)
def test_bookinfo_shows_the_four_golden_signals_of_each_version(release: str) -> None:
    ours = OURS[release, "bookinfo-dashboard.json"]
    assert [row.title for row in ours.rows if row.title] == ["Traffic", "Errors", "Latency", "Saturation"]
    measured = [q.expr for row, p in ours.panels if row.title != "Saturation" for q in p.queries]
    assert measured
    assert all("destination_service_name, destination_version" in expr for expr in measured)


def columns(panel: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The headings of a table's columns and their units."""
    (organized,) = [step["options"] for step in panel["transformations"] if step["id"] == "organize"]
    units = {one["matcher"]["options"]: one["properties"] for one in panel["fieldConfig"]["overrides"]}
    for heading in organized["renameByName"].values():
        yield heading, next(change["value"] for change in units[heading] if change["id"] == "unit")


@pytest.mark.parametrize("release", releases.NAMES)
def test_a_table_names_each_querys_column_and_its_unit(release: str) -> None:
    queries = [Query("up", "", "Requests", "ops"), Query("down", "", "Latency")]
    panel = Panel(title="t", kind="table", queries=queries, unit="s")
    made = MADE[release].document(Dashboard(title="d", uid="u", about="", rows=[Row(None, [panel])]))
    assert list(columns(made["panels"][0])) == [("Requests", "ops"), ("Latency", "s")]
