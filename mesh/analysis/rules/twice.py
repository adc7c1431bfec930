"""Checks that a stack does not make one object by two keys of its config."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref


def objects(mesh: Mesh) -> Iterator[Finding]:
    """No two keys make an object of the same group, kind, namespace and name: the cluster has room for one."""
    found: dict[Ref, list[Object]] = defaultdict(list)
    for obj in mesh.objects:
        if obj.origin:
            found[obj.ref].append(obj)
    for first, *others in found.values():
        for other in others:
            if other.origin != first.origin:
                text = f"it is also made by {first.origin}: leave one of them out, or rename it"
                yield codes.INVALID.at(other, "", text)


RULES: Final = (objects,)
