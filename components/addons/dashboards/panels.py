"""Types for Grafana 7 dashboards: variables, rows and panels.

Maintained libraries for dashboards only support the panels of later versions of Grafana."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["graph", "singlestat", "table", "text"]
Unit = Literal["short", "none", "reqps", "ops", "s", "bytes", "Bps", "percentunit", "decbytes"]

WIDTH: Final = 24
"""Width of a dashboard in columns."""
SCHEMA: Final = 26
"""The `schemaVersion` of Grafana 7.4."""


@dataclass(frozen=True)
class Query:
    """A PromQL query, and the names of its series."""

    expr: str
    legend: str = ""
    """Name of a series; may contain labels: `{{pod}}`."""
    column: str = ""
    """Heading of its column in a table."""
    unit: Unit | None = None
    """Unit of its column in a table; None for the panel's."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel of a dashboard."""

    title: str = ""
    kind: Kind = "graph"
    queries: Sequence[Query] = ()
    unit: Unit = "short"
    width: int = 8
    """In columns, of which a dashboard has 24."""
    height: int = 7
    """In units of 30 pixels."""
    stack: bool = False
    """Whether a graph stacks its series."""
    text: str = ""
    """Markdown, for a panel of kind `text`."""


@dataclass(frozen=True)
class Row:
    """Panels with a row title; None for panels without one."""

    title: str | None
    panels: Sequence[Panel]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A dashboard variable, which the viewer chooses; queries refer to it as `$name`."""

    name: str
    query: str
    kind: Literal["datasource", "query"] = "query"
    label: str = ""
    many: bool = False
    """Whether several values, or all, can be chosen."""
    pick: str = ""
    """A regular expression that extracts the values from the query's result."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A dashboard."""

    title: str
    uid: str
    """Its identity in URLs: `/d/<uid>`."""
    about: str
    """Its description, one sentence."""
    rows: Sequence[Row]
    variables: Sequence[Variable] = ()

    @property
    def panels(self) -> Iterator[tuple[Row, Panel]]:
        """All panels, each with its row."""
        return ((row, panel) for row in self.rows for panel in row.panels)

    def document(self) -> dict[str, Any]:
        """The dashboard in Grafana's JSON model."""
        source = "$datasource" if any(v.kind == "datasource" for v in self.variables) else None
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "editable": False,
            "schemaVersion": SCHEMA,
            "version": 1,
            "refresh": "15s",
            "time": {"from": "now-15m", "to": "now"},
            "timezone": "",
            "annotations": {"list": []},
            "templating": {"list": [_variable(variable) for variable in self.variables]},
            "panels": list(_placed(self.rows, source)),
        }


DATASOURCE: Final = Variable(name="datasource", query="prometheus", kind="datasource", label="Data source")
"""The variable for the Prometheus data source."""


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


def _placed(rows: Sequence[Row], source: str | None) -> Iterator[dict[str, Any]]:
    """The panels with their grid positions: left to right, top to bottom, each row on a line of its own."""
    number = top = 0
    for row in rows:
        if row.title is not None:
            number += 1
            spot = {"x": 0, "y": top, "w": WIDTH, "h": 1}
            yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": spot}
            top += 1
        left = height = 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                left, top, height = 0, top + height, 0
            number += 1
            spot = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": spot, **_panel(panel, source)}
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _panel(panel: Panel, source: str | None) -> dict[str, Any]:
    common: dict[str, Any] = {"type": panel.kind, "title": panel.title, "datasource": source}
    if panel.kind == "text":
        return {**common, "mode": "markdown", "content": panel.text}
    asked = [_query(query, chr(ord("A") + position), panel.kind) for position, query in enumerate(panel.queries)]
    return {**common, "targets": asked, **_FIELDS[panel.kind](panel)}


def _query(query: Query, name: str, kind: Kind) -> dict[str, Any]:
    table = {"format": "table", "instant": True} if kind == "table" else {}
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
    answers = {f"Value #{chr(ord('A') + position)}": query for position, query in enumerate(panel.queries)}
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


_FIELDS: Final = {"graph": _graph, "singlestat": _singlestat, "table": _table}
