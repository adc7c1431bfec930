"""The registry of Istio's releases, each of which is a folder of this package.

No other module imports a release's folder, except a release that builds on another.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mesh.releases.release import Release

_FOLDERS: Final = {
    "1.10": "v1_10",
}
"""Folders by release name (minor version), oldest first. Each folder defines the release as `RELEASE`."""

NAMES: Final = tuple(_FOLDERS)
"""Names of the releases, oldest first."""
DEFAULT: Final = "1.10"
"""The release of a stack without `mesh:release`."""


def get(name: str) -> Release:
    """Loads the release `name`, and no other. Raises KeyError if the name is not one of `NAMES`."""
    found: Release = import_module(f"{__name__}.{_FOLDERS[name]}").RELEASE
    return found
