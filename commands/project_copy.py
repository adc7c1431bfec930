"""A copy of the project for runs with clusters and state of their own, which must not touch the user's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from commands.stackfiles import ROOT

_LEFT_OUT: Final = (".git", ".venv", ".*_cache", "__pycache__", "reports")


def make(place: Path) -> None:
    """Copies the project to a folder that does not exist yet. The copy shares the virtual environment."""
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    (place / ".venv").symlink_to(ROOT / ".venv")
