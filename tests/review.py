"""Small changes for tests of reports: the good mesh, and what is different afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.review.changes import Item, Told
from mesh.review.review import Review, Source
from tests import meshes
from tests.meshes import Manifest

SOURCE = Source(kind="base branch", text="Compared with main at 0123456.", commit="0123456789")


def item(manifest: Manifest, **said: Any) -> Item:
    return Item(object=Object.read(manifest), component="Shop", **said)


def review(old: Sequence[Manifest], new: Sequence[Manifest], told: Told | None = None, **said: Any) -> Review:
    """The review of a change from some objects to others; `said` is of each object."""
    before, after = ([item(manifest, **said) for manifest in side] for side in (old, new))
    return Review.of("shop", SOURCE, before, after, DEFAULT_NAMES, told=told)


def changed(*objects: Manifest) -> Review:
    """The review of these objects coming into the good mesh."""
    return review(meshes.good(), meshes.changed(objects))


def removed(*objects: Manifest) -> Review:
    """The review of these objects going from it."""
    return review(meshes.changed(objects), meshes.good())


def risks(found: Review) -> list[str]:
    return [f"{risk.word} | {risk.object} | {risk.reason}" for risk in found.risks]
