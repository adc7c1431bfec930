"""From which key of a stack's config each part of its objects comes, for whoever has to say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mesh.analysis.objects import Object, Ref
from mesh.config import security, traffic
from mesh.config.settings import Settings
from mesh.core.kinds import GroupKind


def located(objects: Iterable[Object], settings: Settings) -> list[Object]:
    """The objects; those of `mesh:traffic` and `mesh:security` with the very keys that they are made from."""
    made = [*traffic.objects(settings), *security.objects(settings)]
    known = {Ref(GroupKind(item.body.kind, item.body.names.group), item.namespace, item.name): item for item in made}
    return [
        replace(thing, origin=f"mesh:{item.path}", keys=item.keys) if (item := known.get(thing.ref)) else thing
        for thing in objects
    ]
