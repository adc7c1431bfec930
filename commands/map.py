"""`make map`: draws the hosts, gateways, routes, services and versions of a stack or of files; needs no cluster."""

from __future__ import annotations

from pathlib import Path

from commands import analyze, pictures
from mesh.pictures import map as drawing
from mesh.pictures.model import Picture


def run(stack: str, out: Path) -> int:
    """Writes the map of a stack to `out` as `map-<stack>.svg` and `.mmd`, or the map of files as `map-files`. Returns
    the exit code 0. Raises CommandError, ManifestError, SettingsError."""
    return pictures.write(of(stack), out / f"map-{analyze.label(stack)}")


def of(stack: str) -> Picture:
    """The map of a stack's mesh, or of the objects that FILES names."""
    looked_at = analyze.subject(stack)
    return drawing.of(looked_at.mesh, f"mesh {looked_at.name}")
