"""Istio's releases, each in a folder of its own, and the registry by which they are found.

Nobody but this registry, and a release that builds on another, imports a release's folder.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mesh.releases.release import Release

_FOLDERS: Final = {
    "1.10": "v1_10",
}
"""The releases by name, oldest first, and the folder of each, whose `RELEASE` it is."""

NAMES: Final = tuple(_FOLDERS)
DEFAULT: Final = "1.10"
"""The release of a stack that does not name one."""


def get(name: str) -> Release:
    """The release called `name`, one of `NAMES`; KeyError for any other name. Others are not loaded."""
    found: Release = import_module(f"{__name__}.{_FOLDERS[name]}").RELEASE
    return found
