"""`make map`: a stack's mesh as a picture, without a cluster."""

from __future__ import annotations

from pathlib import Path

from commands import analyze, render, stackfiles
from components.analysis.mesh import Mesh
from components.pictures import map as drawing
from components.pictures import mermaid, svg
from components.pictures.model import Picture


def run(stack: str, out: Path) -> int:
    """Writes the map of a stack to `out` as `map-<stack>.svg` and `.mmd`. Raises CommandError, SettingsError."""
    picture = of(stack)
    out.mkdir(parents=True, exist_ok=True)
    for ending, text in (("svg", svg.draw(picture)), ("mmd", mermaid.write(picture))):
        file = out / f"map-{stack}.{ending}"
        file.write_text(text)
        print(file)
    return 0


def of(stack: str) -> Picture:
    """The map of what a stack makes."""
    objects = analyze.objects(render.record(stack, stackfiles.config(stack)))
    return drawing.of(Mesh(objects), f"mesh {stack}")
