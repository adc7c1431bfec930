"""Objects that an update would take over silently: others created them, and the stack's state does not have them.

Server-side apply changes an existing object, and creates one only if there is none. A field with another value is a
conflict. An object with the same values would become the stack's, and a teardown would delete it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cluster import discovery
from cluster.client import Api, Request, ask_all
from mesh.analysis.objects import Ref
from mesh.core import words

_SHOWN: Final = 10
"""The number of objects that a message names."""


class Wanted(NamedTuple):
    """An object that is to be created."""

    version: str
    """`apiVersion`."""
    ref: Ref

    @property
    def type(self) -> tuple[str, str]:
        """API version and kind."""
        return self.version, self.ref.kind.name


def problem(api: Api, wanted: Sequence[Wanted], manager: str) -> str:
    """A message about the wanted objects that exist already, with the field managers of each; empty if there are none.
    `manager` is the stack's own field manager: a killed update may have left objects of it, which do not count.

    Objects without any field manager, such as a namespace's service account `default`, do not count either, nor do
    objects that the caller may not read."""
    kinds = discovery.served(api, {one.type for one in wanted})
    paths = {one.ref: kinds[one.type].path(one.ref.namespace, one.ref.name) for one in wanted if one.type in kinds}
    answers = ask_all(api, [Request("GET", path) for path in paths.values()])
    owners = [_managers(answer.body) if answer.ok else () for answer in answers]
    found = [(ref, names) for ref, names in zip(paths, owners, strict=True) if names and manager not in names]
    lines = sorted(f"{ref} by {' and '.join(names)}" for ref, names in found)
    exist = "object already exists" if len(lines) == 1 else "objects already exist"
    return f"{len(lines)} {exist}, created by others: {words.some(lines, _SHOWN)}" if lines else ""


def _managers(body: Any) -> Sequence[str]:
    """The field managers of an object, except for those of its status."""
    managed = body["metadata"].get("managedFields") or []
    return [*dict.fromkeys(one["manager"] for one in managed if one.get("subresource") != "status")]
