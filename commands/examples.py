"""The examples, and the maps on their pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from commands import analyze
from commands.stackfiles import ROOT
from mesh.analysis.mesh import Mesh
from mesh.config import loading, stack_file
from mesh.config.stack import Stack
from mesh.pictures import map as drawing
from mesh.pictures import svg

STACKS: Final = sorted((ROOT / "examples").glob("*/stack.yaml"))
"""The stack file of each example."""


def maps() -> Mapping[Path, str]:
    """The map of each example as SVG, by its file."""
    return {file.with_name("map.svg"): svg.draw(drawing.of(of(file)[1], f"mesh {file.parent.name}")) for file in STACKS}


def of(file: Path) -> tuple[Stack, Mesh]:
    """The stack of an example, and its mesh."""
    name, config = file.parent.name, stack_file.config(stack_file.document(file))
    stack = loading.load(config)
    return stack, Mesh(analyze.made(name, stack, config), stack.settings.mesh_names)
