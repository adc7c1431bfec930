"""The graph of the requests that pass the live sandbox: who calls whom, how often, and how many calls fail."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import requests

from commands import pulumi_cli
from commands.docs_pictures.workspace import Workspace
from mesh.pictures import graph as drawing
from mesh.pictures.model import Arrow, Box, Picture
from sandbox import live, paths
from sandbox.live import traffic
from sandbox.live.folder import Folder
from sandbox.live.plan import Plan, Workload
from sandbox.live.traffic import Count, Edge

SECONDS: Final = 30
"""How long requests are counted."""
PAUSE: Final = 0.05
"""Seconds between two requests of the visitor."""
FAULTS: Final = {"ratings-v1": {"failEvery": 10}}
"""What misbehaves meanwhile, so that the picture has errors."""
_VISITOR: Final = "visitor"
_COLUMNS: Final = ("from outside", "gateway", "first calls", "second calls", "third calls", "fourth calls")


def measure(workspace: Workspace, context: str, page: str) -> Picture:
    """Has a visitor request a page while the requests are counted; the graph of them. `context`: the embedded cluster,
    whose live sandbox runs."""
    with pulumi_cli.variables({"MESH_HOME": str(workspace.home)}):
        plan = Plan.of(live.current(context) or {})
        switches = Folder(paths.layout(context)).switches
    switches.write_text(json.dumps(FAULTS))
    try:
        before, began, asked = traffic.counts(plan), time.monotonic(), Count()
        while time.monotonic() - began < SECONDS:
            asked += Count(1, int(requests.get(page, timeout=30).status_code >= 500))
            time.sleep(PAUSE)
        seconds = time.monotonic() - began
        after = traffic.counts(plan)
    finally:
        switches.write_text("{}")
    passed = {edge: after[edge] - before.get(edge, Count()) for edge in after}
    passed[_VISITOR, plan.ingress] = asked
    return graph(passed, plan.workloads, seconds)


def graph(passed: Mapping[Edge, Count], workloads: Sequence[Workload], seconds: float) -> Picture:
    """The graph of the requests of some seconds. Proxies that had none are left out."""
    used = {edge: count for edge, count in passed.items() if count.requests}
    columns = _columns(used)
    named = {workload.key: (workload.service, workload.version) for workload in workloads}
    boxes = [
        Box(id=key, column=column, lines=tuple(filter(None, named.get(key, (key,))))) for key, column in columns.items()
    ]
    arrows = [
        Arrow(source=source, target=target, label=label(count, seconds), state="failing" if count.errors else "")
        for (source, target), count in used.items()
    ]
    heads = _COLUMNS[: max(columns.values(), default=-1) + 1]
    return Picture(title=f"Requests per second, counted for {seconds:.0f} s", columns=heads, boxes=boxes, arrows=arrows)


def _columns(edges: Collection[Edge]) -> Mapping[str, int]:
    """The column of each proxy: right of all that call it."""
    after: dict[str, frozenset[str]] = {key: frozenset() for edge in edges for key in edge}
    for source, target in edges:
        after[target] |= {source} - {target}
    return {key: min(column, len(_COLUMNS) - 1) for key, column in drawing.columns(after).items()}


def label(count: Count, seconds: float) -> str:
    """The label of an arrow: requests per second, and the share of errors if there were any."""
    rate = f"{count.requests / seconds:.1f}/s"
    return f"{rate}, {100 * count.errors / count.requests:.0f} % errors" if count.errors else rate
