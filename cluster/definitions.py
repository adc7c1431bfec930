"""Whether an update would downgrade or delete the definitions (CRDs) of Istio's API that others use.

The API server refuses a definition that lacks a version in which objects are stored, and deletes all objects of a
deleted definition. A served version that an update removes is gone for all of its clients.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cluster.survey import Definition
from mesh import api, releases
from mesh.core import kinds, words
from mesh.core.kinds import GroupKind
from mesh.releases.release import Release

Manifest = Mapping[str, Any]
Versions = Mapping[str, frozenset[str]]
"""The served versions of each definition, by its name."""

_SHOWN = 3
"""The number of definitions that a message names."""


def among(manifests: Iterable[Manifest]) -> Versions:
    """The definitions of Istio's API among the objects of a stack, with their served versions."""
    ours = set(map(api.definition_name, api.kinds()))
    found = (one for one in manifests if GroupKind.of(one) == kinds.CUSTOM_RESOURCE_DEFINITION)
    return {
        one["metadata"]["name"]: frozenset(version["name"] for version in one["spec"]["versions"] if version["served"])
        for one in found
        if one["metadata"]["name"] in ours
    }


def of_release(release: Release, excluded: Collection[str] = ()) -> Versions:
    """The definitions of a release, except for the `excluded` names."""
    found = {api.definition_name(kind): frozenset(release.api.of(kind)) for kind in api.kinds()}
    return {name: versions for name, versions in found.items() if versions and name not in excluded}


def lowered(there: Mapping[str, Definition], wanted: Versions) -> str:
    """The reason why the `wanted` definitions must not replace those on the cluster, whoever installed these, and what
    to do; empty if they remove nothing."""
    found = {name: _lost(there[name], versions) for name, versions in sorted(wanted.items()) if name in there}
    lost = [f"{name} {text}" for name, text in found.items() if text]
    if not lost:
        return ""
    newer = _release_of({name: there[name] for name in found})
    whose = f"those of Istio {newer}" if newer else "newer than those of all supported releases"
    keep = f'`mesh:base: {{ release: "{newer}" }}` keeps them' if newer else "A newer mesh:base.release would keep them"
    return (
        f"the definitions of Istio's API on the cluster are {whose}, and the update would remove versions that are in"
        f" use: {words.some(lost, _SHOWN, '; ')}. {keep}; older control planes work with them, too"
    )


def deleted(names: Collection[str], staying: Collection[str]) -> str:
    """The reason why the definitions with these names must not be deleted, and what to do; empty if they may. `staying`
    are the revisions of the control planes that remain on the cluster."""
    if not names or not staying:
        return ""
    who = "revision" if len(staying) == 1 else "revisions"
    return (
        f"{words.count(len(names), 'definition')} of Istio's API would be deleted, with all objects of the kind, while"
        f" the control planes of {who} {', '.join(sorted(staying))} read them: {words.some(sorted(names), _SHOWN)}."
        " Leave enabled, release and excludedCRDs of mesh:base as they were; or, if an earlier update had"
        " `mesh:keepDefinitions: true`, nothing is deleted, and FORCE=1 is safe"
    )


def _lost(one: Definition, wanted: frozenset[str]) -> str:
    """What the update would remove from a definition; empty if nothing."""
    stored, served = sorted(one.stored - wanted), sorted(one.served - wanted)
    if stored:
        return f"has objects stored as {', '.join(stored)}"
    return f"serves {', '.join(served)}" if served else ""


def _release_of(found: Mapping[str, Definition]) -> str:
    """The oldest release whose definitions serve all versions that these serve; empty if there is none."""
    for name in releases.NAMES:
        served = of_release(releases.get(name))
        if all(one.served | one.stored <= served.get(key, frozenset()) for key, one in found.items()):
            return name
    return ""
