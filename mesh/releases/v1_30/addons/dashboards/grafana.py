"""Dashboards in the JSON model of Grafana 12, built with Grafana's own types."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, table, text, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import (
    DataSourceRef,
    HeatmapCellLayout,
    LegendDisplayMode,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from mesh.releases.dashboards import Dashboard, Panel, Query, Spot, Variable, ref

SCHEMA: Final = 41
"""The `schemaVersion` of Grafana 12.0."""
_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_EVERYTHING: Final = model.VariableOption(text=["All"], value=["$__all"])
_AnyPanel = timeseries.Panel | stat.Panel | table.Panel | heatmap.Panel


def document(found: Dashboard) -> dict[str, Any]:
    """The dashboard in Grafana's JSON model."""
    made = (
        dashboard.Dashboard(found.title)
        .uid(found.uid)
        .description(found.about)
        .readonly()
        .refresh("15s")
        .time("now-30m", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables([_VARIABLES[variable.kind](variable) for variable in found.variables])
    )
    for number, (item, spot) in enumerate(found.placed, start=1):
        if isinstance(item, str):
            made.with_row(dashboard.Row(item).id(number).grid_pos(_grid(spot)))
        else:
            made.with_panel(_panel(item, number, spot))
    built = made.build()
    built.schema_version = SCHEMA
    plain: dict[str, Any] = json.loads(JSONEncoder().encode(built))
    return plain


def _grid(spot: Spot) -> model.GridPos:
    return model.GridPos(**asdict(spot))


def _source(variable: Variable) -> Builder[model.VariableModel]:
    return dashboard.DatasourceVariable(variable.name).label(variable.label).type(variable.query)


def _query_variable(variable: Variable) -> Builder[model.VariableModel]:
    made = (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .query(variable.query)
        .datasource(_SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .regex(variable.pick)
        .multi(variable.many)
        .include_all(variable.many)
    )
    return made.current(_EVERYTHING) if variable.many else made


def _custom(variable: Variable) -> Builder[model.VariableModel]:
    values = variable.query.split(",")
    return (
        dashboard.CustomVariable(variable.name)
        .label(variable.label)
        .values(variable.query)
        .multi(variable.many)
        .options([model.VariableOption(value == variable.first, value, value) for value in values])
        .current(model.VariableOption(True, [variable.first], [variable.first]))
    )


_VARIABLES: Final[dict[str, Callable[[Variable], Builder[model.VariableModel]]]] = {
    "datasource": _source,
    "query": _query_variable,
    "custom": _custom,
}


def _panel(panel: Panel, number: int, spot: Spot) -> Builder[model.Panel]:
    if panel.kind == "text":
        return text.Panel().id(number).grid_pos(_grid(spot)).title(panel.title).content(panel.text)
    made = _PANELS[panel.kind](panel)
    made.id(number).grid_pos(_grid(spot)).title(panel.title).unit(panel.unit).datasource(_SOURCE)
    for position, query in enumerate(panel.queries):
        made.with_target(_query(query, ref(position), panel))
    return made


def _query(query: Query, name: str, panel: Panel) -> prometheus.Dataquery:
    made = prometheus.Dataquery().ref_id(name).datasource(_SOURCE).expr(query.expr)
    if query.legend:
        made.legend_format(query.legend)
    if panel.kind == "table":
        return made.format(PromQueryFormat.TABLE).instant()
    return made.range().format(PromQueryFormat.HEATMAP) if panel.kind == "heatmap" else made.range()


def _graph(panel: Panel) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .axis_soft_min(0)
        .legend(common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(True))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .fill_opacity(10)
        .show_points(VisibilityMode.NEVER)
    )
    if panel.stack:
        made.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return made


def _number(_: Panel) -> stat.Panel:
    return stat.Panel().no_value("N/A").reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))


def _table(panel: Panel) -> table.Panel:
    """A table with one line for each set of labels, and the queries' values as columns."""
    columns = {f"Value #{ref(position)}": query.column for position, query in enumerate(panel.queries)}
    shown = {"excludeByName": {"Time": True}, "renameByName": columns}
    made = (
        table.Panel()
        .with_transformation(model.DataTransformerConfig("merge", options={}))
        .with_transformation(model.DataTransformerConfig("organize", options=shown))
    )
    for query in panel.queries:
        made.override_by_name(query.column, [model.DynamicConfigValue("unit", query.unit or panel.unit)])
    return made


def _heatmap(panel: Panel) -> heatmap.Panel:
    buckets = heatmap.RowsHeatmapOptions().layout(HeatmapCellLayout.AUTO)
    return heatmap.Panel().rows_frame(buckets).y_axis(heatmap.YAxisConfig().unit(panel.unit))


_PANELS: Final[dict[str, Callable[[Panel], _AnyPanel]]] = {
    "graph": _graph,
    "number": _number,
    "table": _table,
    "heatmap": _heatmap,
}
