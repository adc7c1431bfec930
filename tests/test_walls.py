"""Rules that import-linter cannot check: the imports of `__main__.py`, and the use of Pulumi's internals."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.stackfiles import ROOT

ROOMS = ("bench", "cluster", "commands", "components", "engine", "mesh", "policies", "sandbox", "toolchain")
INTERNAL = ("pulumi.runtime", "pulumi._", "os._exit", "gc.")
"""Prefixes of the names that only engine/ may use."""


def imported(file: Path) -> Iterator[str]:
    """Every dotted name that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used(file: Path) -> Iterator[str]:
    """Every dotted name that a file imports or uses."""
    yield from imported(file)
    yield from (ast.unparse(n) for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute))


def test_every_package_is_in_the_list_of_rooms() -> None:
    found = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert found == {*ROOMS, "tests"}


def test_the_program_imports_only_components_and_rooms_below_them() -> None:
    rooms = {name.partition(".")[0] for name in imported(ROOT / "__main__.py")}
    assert rooms & {*ROOMS} <= {"components", "engine", "cluster", "mesh"}


@pytest.mark.slow
@pytest.mark.parametrize("room", [room for room in ROOMS if room != "engine"])
def test_only_engine_uses_what_is_not_public_in_pulumi(room: str) -> None:
    files = (ROOT / room).rglob("*.py")
    assert [(str(file), name) for file in files for name in used(file) if f"{name}.".startswith(INTERNAL)] == []


def own(file: Path) -> str:
    """The name of the release in whose folder the file is; a name that no release has if it is in none."""
    folders = file.relative_to(ROOT).parts[:-1]
    return f"mesh.releases.{folders[2]}" if folders[:2] == ("mesh", "releases") and len(folders) > 2 else "nobody"


def test_only_the_registry_imports_a_release() -> None:
    """import-linter checks the modules in a release's folder, not the folder itself. A release imports only itself."""
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    asking = [
        file
        for file in files
        for name in imported(file)
        if name.startswith("mesh.releases.v") and not f"{name}.".startswith(f"{own(file)}.")
    ]
    assert {str(file.relative_to(ROOT)) for file in asking} <= {"mesh/releases/__init__.py"}


@pytest.mark.slow
def test_importing_a_package_changes_no_global_state() -> None:
    """Global state is changed by calls into engine/ only."""
    code = """
import gc, os, sys
import pulumi, pulumi.runtime.rpc as rpc
before = gc.get_threshold(), gc.get_freeze_count(), pulumi.log.debug, rpc.contains_unknowns, dict(os.environ)
import components.addons.install, components.base, engine.patches, engine.program, engine.start, policies.pack
after = gc.get_threshold(), gc.get_freeze_count(), pulumi.log.debug, rpc.contains_unknowns, dict(os.environ)
sys.exit(before != after)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
