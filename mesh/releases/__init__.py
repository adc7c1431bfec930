"""The registry of Istio's releases, each of which is a folder of this package.

No other module imports a release's folder, except a release that builds on another.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mesh.releases.release import Release

_FOLDERS: Final = {
    "1.10": "v1_10",
    "1.30": "v1_30",
}
"""Folders by release name (minor version), oldest first. Module `release` of each defines the release as `RELEASE`."""

NAMES: Final = tuple(_FOLDERS)
"""Names of the releases, oldest first."""
DEFAULT: Final = "1.10"
"""The release of a stack without `mesh:release`."""


@cache
def lacks(name: str) -> frozenset[str]:
    """The parts of the types of values and of Istio's API that release `name` does not have: what later releases added,
    and what it or an earlier one removed. Each is `Class.field`, or `Class.field=value` for a value of an enumeration,
    with the field's name in YAML. Raises ValueError if the name is not one of `NAMES`."""
    index = NAMES.index(name)
    changes = [import_module(f"{__name__}.{folder}.changes") for folder in _FOLDERS.values()]
    removed = frozenset[str]().union(*(release.REMOVED for release in changes[: index + 1]))
    return removed.union(*(release.ADDED for release in changes[index + 1 :]))


def having(part: str) -> tuple[str, ...]:
    """The names of the releases that have a part of the types, as `lacks` writes it, oldest first."""
    return tuple(name for name in NAMES if part not in lacks(name))


def minor(version: str) -> str:
    """The name that the release of a version or an image tag has: `1.30` of `1.30.3-distroless`."""
    return ".".join(version.removeprefix("v").split(".")[:2])


def of_version(text: str) -> Release | None:
    """The release of a version or an image tag; None if there is none of it here."""
    name = minor(text)
    return get(name) if name in NAMES else None


@cache
def get(name: str) -> Release:
    """Loads the release `name`; of the others, only what they changed. Raises KeyError if the name is not one of
    `NAMES`."""
    found: Release = import_module(f"{__name__}.{_FOLDERS[name]}.release").RELEASE
    return replace(found, api=replace(found.api, lacks=lacks(name)))
