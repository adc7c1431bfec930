"""Dashboards in the JSON model of Grafana 7. Maintained libraries only know the panels of later versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from mesh.releases.dashboards import Dashboard, Panel, Query, Variable, ref

SCHEMA: Final = 26
"""The `schemaVersion` of Grafana 7.4."""


def document(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard in Grafana's JSON model."""
    source = "$datasource" if any(v.kind == "datasource" for v in dashboard.variables) else None
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "editable": False,
        "schemaVersion": SCHEMA,
        "version": 1,
        "refresh": "15s",
        "time": {"from": "now-15m", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "templating": {"list": [_variable(variable) for variable in dashboard.variables]},
        "panels": list(_panels(dashboard, source)),
    }


def _variable(variable: Variable) -> dict[str, Any]:
    common = {"name": variable.name, "type": variable.kind, "query": variable.query, "label": variable.label or None}
    if variable.kind == "datasource":
        return {**common, "hide": 0, "refresh": 1}
    everything = {"text": "All", "value": ["$__all"]}
    return {
        **common,
        "datasource": "$datasource",
        "refresh": 2,  # when the time range changes
        "sort": 1,
        "regex": variable.pick,
        "multi": variable.many,
        "includeAll": variable.many,
        "current": everything if variable.many else {},
    }


def _panels(dashboard: Dashboard, source: str | None) -> Iterator[dict[str, Any]]:
    for number, (item, spot) in enumerate(dashboard.placed, start=1):
        grid = asdict(spot)
        if isinstance(item, str):
            yield {"id": number, "type": "row", "title": item, "collapsed": False, "panels": [], "gridPos": grid}
        else:
            yield {"id": number, "gridPos": grid, **_panel(item, source)}


def _panel(panel: Panel, source: str | None) -> dict[str, Any]:
    common: dict[str, Any] = {"type": _TYPES[panel.kind], "title": panel.title, "datasource": source}
    if panel.kind == "text":
        return {**common, "mode": "markdown", "content": panel.text}
    asked = [_query(query, ref(position), panel) for position, query in enumerate(panel.queries)]
    return {**common, "targets": asked, **_FIELDS[panel.kind](panel)}


def _query(query: Query, name: str, panel: Panel) -> dict[str, Any]:
    table = {"format": "table", "instant": True} if panel.kind == "table" else {}
    return {"refId": name, "expr": query.expr, "legendFormat": query.legend, **table}


def _graph(panel: Panel) -> dict[str, Any]:
    """The fields of a graph that differ from Grafana's defaults."""
    left = {"format": panel.unit, "show": True, "min": "0", "logBase": 1}
    stacked = {"stack": True, "nullPointMode": "null as zero"} if panel.stack else {}
    return {"tooltip": {"sort": 2}, "yaxes": [left, {"format": "short", "show": False, "logBase": 1}], **stacked}


def _singlestat(panel: Panel) -> dict[str, Any]:
    line = {"sparkline": {"show": True, "full": True}} if panel.height > 3 else {}
    return {"format": panel.unit, "valueName": "current", "nullText": "N/A", **line}


def _table(panel: Panel) -> dict[str, Any]:
    """The fields of a table with one line for each set of labels, and the queries' values as columns."""
    answers = {f"Value #{ref(position)}": query for position, query in enumerate(panel.queries)}
    return {
        "transformations": [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "renameByName": {name: query.column for name, query in answers.items()},
                },
            },
        ],
        "fieldConfig": {
            "defaults": {},
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": query.column},
                    "properties": [{"id": "unit", "value": query.unit or panel.unit}],
                }
                for query in panel.queries
            ],
        },
        "options": {"showHeader": True},
    }


_TYPES: Final = {"graph": "graph", "number": "singlestat", "table": "table", "text": "text"}
"""Grafana's names of the kinds of panels."""
_FIELDS: Final = {"graph": _graph, "number": _singlestat, "table": _table}
