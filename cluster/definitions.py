"""Whether the definitions of Istio's API on a cluster would go down: an update must not take away what others use.

The API server refuses a definition without a version in which objects are stored, and deletes all objects of a
definition that goes. Versions that are only served would be gone for everybody who asks for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from cluster.survey import Definition, Survey
from mesh import api, releases
from mesh.core import words
from mesh.releases.release import Release

_SHOWN = 3
"""Definitions that a message names."""


def problems(found: Survey, wanted: Release, excluded: Collection[str] = ()) -> Iterator[str]:
    """Why the definitions of a release must not be applied; none if they take nothing away. Those that are `excluded`
    are not the stack's."""
    served = {api.definition_name(kind): frozenset(wanted.api.of(kind)) for kind in api.kinds()}
    lost = {
        name: text
        for name, one in sorted(found.definitions.items())
        if name not in excluded and (text := _lost(one, served.get(name, frozenset())))
    }
    if lost:
        newer = _release_of(found)
        keep = f'`mesh:base: {{ release: "{newer}" }}` keeps them' if newer else "keep them, with a newer mesh:release"
        named = words.some([f"{name} {text}" for name, text in lost.items()], _SHOWN, "; ")
        yield (
            f"{found.target.context} ({found.target.server}) has newer definitions of Istio's API than those of"
            f" {wanted.name}, which would take away what is in use: {named}. {keep}; control planes of"
            f" {wanted.name} go on with them"
        )


def _lost(one: Definition, wanted: frozenset[str]) -> str:
    """What would be gone of a definition; empty if nothing would."""
    if not wanted:
        return "would be deleted with all its objects"
    stored, served = sorted(one.stored - wanted), sorted(one.served - wanted)
    if stored:
        return f"has objects stored as {', '.join(stored)}"
    return f"serves {', '.join(served)}" if served else ""


def _release_of(found: Survey) -> str:
    """The oldest release whose definitions serve all that the cluster's do; empty if none does."""
    for name in releases.NAMES:
        versions = releases.get(name).api
        served = {api.definition_name(kind): frozenset(versions.of(kind)) for kind in api.kinds()}
        if all(one.served | one.stored <= served.get(key, frozenset()) for key, one in found.definitions.items()):
            return name
    return ""
