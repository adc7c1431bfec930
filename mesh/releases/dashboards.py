"""Types of Grafana's dashboards: variables, rows and panels. Each release writes them for its version of Grafana."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mesh.core.names import ROOT

Kind = Literal["graph", "number", "table", "heatmap", "text"]
Unit = Literal["short", "none", "reqps", "ops", "s", "bytes", "Bps", "percentunit", "decbytes", "cps", "qps", "ms"]

WIDTH: Final = 24
"""Width of a dashboard in columns."""


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
    """`graph`: series over time. `number`: the last value. `table`: labels and last values. `heatmap`: a histogram over
    time. `text`: Markdown."""
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
    """For `custom` the values, separated by commas."""
    kind: Literal["datasource", "query", "custom"] = "query"
    label: str = ""
    many: bool = False
    """Whether several values can be chosen, of a query also all."""
    pick: str = ""
    """A regular expression that extracts the values from the query's result."""
    first: str = ""
    """The value that is chosen at first; Grafana's choice if empty."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """The place of a panel in Grafana's grid, in its units."""

    x: int
    y: int
    w: int
    h: int


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

    @property
    def placed(self) -> Iterator[tuple[str | Panel, Spot]]:
        """The titles of rows and the panels with their places: left to right, top to bottom, each row on a line of its
        own."""
        top = 0
        for row in self.rows:
            if row.title is not None:
                yield row.title, Spot(x=0, y=top, w=WIDTH, h=1)
                top += 1
            left = height = 0
            for panel in row.panels:
                if left + panel.width > WIDTH:
                    left, top, height = 0, top + height, 0
                yield panel, Spot(x=left, y=top, w=panel.width, h=panel.height)
                left, height = left + panel.width, max(height, panel.height)
            top += height


@dataclass(frozen=True, kw_only=True)
class Dashboards:
    """The dashboards of a release."""

    folders: Mapping[str, Mapping[str, Dashboard]]
    """Dashboards by folder and file name."""
    document: Callable[[Dashboard], dict[str, Any]]
    """A dashboard in the JSON model of the release's Grafana."""

    def files(self, folder: str, root: str) -> dict[str, str]:
        """The JSON files of a folder, by file name. `root` is Istio's namespace, in place of the usual
        one in queries."""
        return {
            f"{name}.json": json.dumps(self.document(found)).replace(ROOT, root)
            for name, found in self.folders[folder].items()
        }


DATASOURCE: Final = Variable(name="datasource", query="prometheus", kind="datasource", label="Data source")
"""The variable for the Prometheus data source."""


def ref(position: int) -> str:
    """The identity of a query within its panel: `A` for the first one."""
    return chr(ord("A") + position)
