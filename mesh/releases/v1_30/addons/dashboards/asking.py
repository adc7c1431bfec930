"""Parts of the queries of Istio 1.30's dashboards: their reporters, the time over which they measure, and sums."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from mesh.releases.common.addons.dashboards.queries import selector
from mesh.releases.dashboards import DATASOURCE, Dashboard, Variable

AT: Final = 'reporter=~"$qrep"'
REPORTERS: Final = Variable(
    name="qrep", query="source,destination", kind="custom", label="Reporter", many=True, first="destination"
)
INTERVAL: Final = "$__rate_interval"
"""Grafana's variable for a range that has at least four scrapes, at any zoom."""
_RANGE: Final = re.compile(r"\[[0-9]+m]")


def measured(dashboard: Dashboard) -> Dashboard:
    """The dashboard with all rates over Grafana's interval, and with a variable for the data source if it has none."""
    rows = [
        replace(
            row, panels=[replace(p, queries=[replace(q, expr=_over(q.expr)) for q in p.queries]) for p in row.panels]
        )
        for row in dashboard.rows
    ]
    return replace(dashboard, rows=rows, variables=dashboard.variables or (DATASOURCE,))


def _over(expr: str) -> str:
    return _RANGE.sub(f"[{INTERVAL}]", expr)


def rate(metric: str, *matchers: str, function: str = "rate") -> str:
    """The rate of a counter per second."""
    return f"{function}({selector(metric, *matchers)}[{INTERVAL}])"


def summed(expr: str, by: str = "") -> str:
    """The sum of a query; `by` are labels, separated by commas."""
    return f"sum by ({by}) ({expr})" if by else f"sum({expr})"
