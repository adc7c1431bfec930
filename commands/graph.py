"""`make graph`: draws a stack's components and their dependencies; needs no cluster."""

from __future__ import annotations

from pathlib import Path

from commands import pictures, render
from mesh.pictures import graph
from mesh.pictures.graph import Resource
from mesh.pictures.model import Picture


def run(stack: str, out: Path) -> int:
    """Writes the graph of a stack to `out` as `graph-<stack>.svg` and `.mmd`. Raises CommandError, SettingsError."""
    return pictures.write(of(stack), out / f"graph-{stack}")


def of(stack: str) -> Picture:
    """The graph of a stack's components."""
    made = render.record(stack)
    resources = [Resource(urn=r.urn, parent=r.parent, type=r.type, name=r.name, depends_on=r.depends_on) for r in made]
    return graph.of(resources, f"components of {stack}")
