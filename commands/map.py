"""`make map`: draws a stack's hosts, gateways, routes, services and versions; needs no cluster."""

from __future__ import annotations

from pathlib import Path

from commands import analyze, pictures
from mesh.analysis.mesh import Mesh
from mesh.pictures import map as drawing
from mesh.pictures.model import Picture


def run(stack: str, out: Path) -> int:
    """Writes the map of a stack to `out` as `map-<stack>.svg` and `.mmd`. Raises CommandError, SettingsError."""
    return pictures.write(of(stack), out / f"map-{stack}")


def of(stack: str) -> Picture:
    """The map of a stack's mesh."""
    chosen, made = analyze.rendered(stack)
    return drawing.of(Mesh(made, chosen.settings.mesh_names), f"mesh {stack}")
