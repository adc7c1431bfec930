"""Objects of Istio's API that are made from a stack's config, and the keys that they are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.api import ApiError, Kind, Versions

Parts = Iterable[tuple[str, Iterator["ConfigObject"]]]
"""Entries of the config by their keys, and the objects of each, which are made as they are asked for."""


@dataclass(frozen=True, kw_only=True)
class ConfigObject:
    """An object of Istio's API, made from a key of the config."""

    path: str
    """The key that it is made from, below `mesh:`."""
    body: Kind
    name: str
    namespace: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Parts of the body, such as `http[0]`, and the key below `path` that each is made from, where that is known."""
    late: bool = False
    """Whether it refers to others, or shuts out who is not let in by others: those come first."""

    def manifest(self, versions: Versions) -> dict[str, Any]:
        """The object as data, for a release that serves `versions` of Istio's API."""
        return self.body.manifest(self.name, self.namespace, versions, annotations=self.annotations)


def make(parts: Parts) -> tuple[list[ConfigObject], list[str]]:
    """The objects of all entries, and one line for each reason why some cannot be made, or not beside each other."""
    made: list[ConfigObject] = []
    problems: list[str] = []
    for path, objects in parts:
        try:
            for item in objects:
                item.body.check_name(item.name)
                made.append(item)
        except ApiError as error:
            problems += [f"mesh:{path}: {problem}" for problem in error.problems]
    # Two objects of one entry may have the same problem.
    return made, list(dict.fromkeys(problems)) or list(_clashes(made))


def _clashes(objects: Iterable[ConfigObject]) -> Iterator[str]:
    """One line for each object of the kind and name of an earlier one: previews could not tell them apart."""
    taken: dict[tuple[str, str], str] = {}
    for item in objects:
        key = (item.body.kind, item.name)
        if key in taken:
            yield f"mesh:{item.path}: its {' '.join(key)} is also that of mesh:{taken[key]}; rename one of them"
        taken.setdefault(key, item.path)
