"""The lock files: the digests of Istio's objects, one file for each release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from mesh import releases
from mesh.releases.release import Release
from tests.parity import forms
from tests.parity.forms import Digests, Forms

FOLDER: Final = Path(__file__).parent
Lock = Mapping[str, Digests]
"""Digests of the objects of each set."""


def file(release: Release) -> Path:
    """The lock file of a release."""
    return FOLDER / f"{release.version}.lock.json"


@cache
def read(path: Path) -> Lock:
    """The content of a lock file."""
    found: Lock = json.loads(path.read_text())
    return found


def names(kind: str) -> list[tuple[str, str]]:
    """The names of the sets of a kind, such as `demo` of `profiles`, each with the name of its release."""
    found = [(name, of.partition("/")) for name in releases.NAMES for of in read(file(releases.get(name)))]
    return [(name, rest) for name, (first, _, rest) in found if first == kind]


def text(sets: Mapping[str, Forms]) -> str:
    """The content of the lock file for Istio's objects."""
    return json.dumps({name: forms.digests(found) for name, found in sorted(sets.items())}, indent=1) + "\n"
