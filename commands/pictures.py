"""Writes pictures to files, for `make map` and `make graph`."""

from __future__ import annotations

from pathlib import Path

from mesh.pictures import mermaid, svg
from mesh.pictures.model import Picture


def write(picture: Picture, stem: Path) -> int:
    """Writes a picture as `<stem>.svg` and, in Mermaid's language, as `<stem>.mmd`. Returns the exit code 0."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    for ending, text in (("svg", svg.draw(picture)), ("mmd", mermaid.write(picture))):
        file = stem.with_name(f"{stem.name}.{ending}")
        file.write_text(text)
        print(file)
    return 0
