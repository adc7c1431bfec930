"""What an update or a teardown removes although others use it: control planes, injection, definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from cluster import definitions, in_place, orphans, revisions, uninjected
from cluster.client import Api
from cluster.orphans import Objects
from cluster.state import StackState
from cluster.uninjected import Injection
from mesh.core import words

Manifest = Mapping[str, Any]

_SHOWN = 3
"""The number of removed things that a message names."""


@dataclass(frozen=True)
class Removal:
    """The difference between the recorded objects of a stack and those that it will have."""

    before: Injection
    after: Injection
    gone: Sequence[str] = ()
    """The names of the definitions of Istio's API that the update deletes."""

    @classmethod
    def of(cls, recorded: StackState, manifests: Sequence[Manifest]) -> Self:
        """`manifests`: all objects of the stack after the update."""
        old, new = (
            Injection.of(recorded.manifests, orphans.recorded(recorded)),
            Injection.of(manifests, Objects.of(manifests)),
        )
        gone = definitions.among(recorded.manifests).keys() - definitions.among(manifests).keys()
        return cls(old, new, sorted(gone))

    @cached_property
    def taken(self) -> str:
        """A short list of what the update removes; empty if nothing. The cluster is not needed for it."""
        found = [*uninjected.changes(self.before, self.after), *(f"definition {one} is deleted" for one in self.gone)]
        return words.some(found, _SHOWN, "; ")

    @property
    def forbidden(self) -> Iterator[str]:
        """The reasons why the update must not run that are known without the cluster, one line each."""
        if text := in_place.problem(self.before.objects, self.after.objects):
            yield text
        yield from uninjected.answered_twice(self.before, self.after)

    def problems(self, api: Api) -> Iterator[str]:
        """The reasons why the update must not run, one line each, with what to do first. Raises Refused if the caller
        may not list the kinds that `cluster.revisions` reads."""
        found = revisions.read(api)
        before, after = self.before.objects, self.after.objects
        if text := orphans.problem(before, after, found.proxies):
            yield text
        yield from uninjected.problems(self.before, self.after, found)
        removed = before.control_planes - after.control_planes
        staying = {one.revision for one in found.control_planes if one.name not in removed}
        if text := definitions.deleted(self.gone, staying):
            yield text
