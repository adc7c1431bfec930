"""Istio objects that are generated from a stack's config, with the config keys that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.analysis.objects import Ref
from mesh.api import ApiError, Kind, Versions

Parts = Iterable[tuple[str, Iterator["ConfigObject"]]]
"""Keys of config entries, each with a lazy iterator over the objects of the entry."""


@dataclass(frozen=True, kw_only=True)
class ConfigObject:
    """An Istio object that is generated from an entry of the config."""

    path: str
    """Config key that the object comes from, without the prefix `mesh:`."""
    body: Kind
    name: str
    namespace: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Fields of the spec, such as `http[0]`, with the config key below `path` that each comes from, where known. Used
    to report the key of a finding."""
    late: bool = False
    """Whether the object is created after the objects that it needs: a VirtualService after the subsets that it routes
    to, a policy that denies requests after the policies that allow some."""

    @property
    def ref(self) -> Ref:
        return Ref(self.body.group_kind(), self.namespace, self.name)

    def manifest(self, versions: Versions) -> dict[str, Any]:
        """The manifest, for a release that serves `versions` of Istio's API."""
        return self.body.manifest(self.name, self.namespace, versions, annotations=self.annotations)


def make(parts: Parts) -> tuple[list[ConfigObject], list[str]]:
    """The objects of all entries, and the problems: one line for each object that cannot be made, or whose kind and
    name another object has already."""
    made: list[ConfigObject] = []
    problems: list[str] = []
    for path, objects in parts:
        try:
            for item in objects:
                item.body.check_name(item.name)
                made.append(item)
        except ApiError as error:
            problems += [f"mesh:{path}: {problem}" for problem in error.problems]
    # Two objects of an entry may have the same problem: it is reported once.
    return made, list(dict.fromkeys(problems)) or list(_clashes(made))


def _clashes(objects: Iterable[ConfigObject]) -> Iterator[str]:
    """One line for each object with the kind and name of an earlier one: their Pulumi resources would have the same
    name."""
    taken: dict[tuple[str, str], str] = {}
    for item in objects:
        key = (item.body.kind, item.name)
        if key in taken:
            yield f"mesh:{item.path}: its {' '.join(key)} is also that of mesh:{taken[key]}; rename one of them"
        taken.setdefault(key, item.path)
