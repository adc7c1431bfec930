"""Grafana's dashboards, compared with those of Istio's samples."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.addons import dashboards
from components.addons.dashboards.panels import WIDTH, Dashboard

REFERENCE = os.environ.get("MESH_REFERENCE")
OURS = {f"{name}.json": d for folder in dashboards.FOLDERS.values() for name, d in folder.items()}
OF_ISTIO = sorted(name for name in OURS if "bookinfo" not in name)

of_reference = pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")


def reference(name: str) -> dict[str, Any]:
    file = Path(str(REFERENCE)) / "istio-1.10.3" / "addons" / "dashboards.yaml"
    found: dict[str, Any] = yaml.safe_load(file.read_text())[name]
    return found


def plain(text: str) -> str:
    """PromQL or a legend without white space, which has no meaning in either."""
    return re.sub(r"\s+", "", text)


def asked(panel: Any) -> list[tuple[str, str]]:
    return [(plain(query["expr"]), plain(query.get("legendFormat", ""))) for query in panel["queries"]]


@of_reference
def test_there_are_the_six_dashboards_of_istio_and_one_for_bookinfo() -> None:
    file = Path(str(REFERENCE)) / "istio-1.10.3" / "addons" / "dashboards.yaml"
    assert set(OURS) - set(yaml.safe_load(file.read_text())) == {"bookinfo-dashboard.json"}
    assert set(yaml.safe_load(file.read_text())) <= set(OURS)


@of_reference
@pytest.mark.parametrize("name", OF_ISTIO)
def test_a_dashboard_has_the_title_the_uid_and_the_variables_of_the_sample(name: str) -> None:
    ours, theirs = OURS[name], reference(name)
    assert (ours.title, ours.uid) == (theirs["title"], theirs["uid"])
    variables = [(v.name, plain(v.query), v.kind) for v in ours.variables]
    assert variables == [(v["name"], plain(v["query"]), v["type"]) for v in theirs["variables"]]


@of_reference
@pytest.mark.parametrize("name", OF_ISTIO)
def test_a_dashboard_has_the_panels_and_the_queries_of_the_sample(name: str) -> None:
    theirs = reference(name)["panels"]
    ours = list(OURS[name].panels)
    assert [(row.title, panel.title, panel.kind) for row, panel in ours] == [
        (panel["row"], panel["title"], panel["type"]) for panel in theirs
    ]
    for (_, panel), sample in zip(ours, theirs, strict=True):
        assert [(plain(q.expr), plain(q.legend)) for q in panel.queries] == asked(sample), panel.title


@pytest.mark.parametrize("dashboard", OURS.values(), ids=list(OURS))
def test_no_two_panels_of_a_dashboard_overlap(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard.document()["panels"]:
        spot = panel["gridPos"]
        cells = {(spot["x"] + x, spot["y"] + y) for x in range(spot["w"]) for y in range(spot["h"])}
        assert max(x for x, _ in cells) < WIDTH, panel["title"]
        assert not taken & cells, panel["title"]
        taken |= cells


@pytest.mark.parametrize("dashboard", OURS.values(), ids=list(OURS))
def test_every_variable_in_a_query_is_defined_by_its_dashboard(dashboard: Dashboard) -> None:
    known = {variable.name for variable in dashboard.variables}
    used = re.findall(r"\$(\w+)", json.dumps(dashboard.document()))
    assert set(used) - {"__all"} <= known


def test_no_two_dashboards_have_the_same_uid() -> None:
    uids = [dashboard.uid for dashboard in OURS.values()]
    assert len(set(uids)) == len(uids)


def test_bookinfo_shows_the_four_golden_signals_of_each_version() -> None:
    ours = OURS["bookinfo-dashboard.json"]
    assert [row.title for row in ours.rows if row.title] == ["Traffic", "Errors", "Latency", "Saturation"]
    measured = [q.expr for row, p in ours.panels if row.title != "Saturation" for q in p.queries]
    assert measured
    assert all("destination_service_name, destination_version" in expr for expr in measured)
