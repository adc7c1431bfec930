"""Reviews of small changes of the valid mesh, for tests of reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.review.changes import EngineFacts, StackObject
from mesh.review.review import Review, Source
from tests import meshes
from tests.meshes import Manifest

SOURCE = Source(kind="base branch", text="Compared with main at 0123456.", commit="0123456789")


def item(manifest: Manifest, **said: Any) -> StackObject:
    return StackObject(object=Object.read(manifest), component="Shop", **said)


def review(old: Sequence[Manifest], new: Sequence[Manifest], facts: EngineFacts | None = None, **said: Any) -> Review:
    """The review of a change from `old` to `new`; `said` are fields of each item."""
    before, after = ([item(manifest, **said) for manifest in side] for side in (old, new))
    return Review.of("shop", SOURCE, before, after, DEFAULT_NAMES, facts=facts)


def changed(*objects: Manifest) -> Review:
    """The review of adding these objects to the valid mesh."""
    return review(meshes.valid_mesh(), meshes.changed(objects))


def removed(*objects: Manifest) -> Review:
    """The review of removing these objects from the valid mesh."""
    return review(meshes.changed(objects), meshes.valid_mesh())


def risks(found: Review) -> list[str]:
    return [f"{risk.name} | {risk.object} | {risk.reason}" for risk in found.risks]
