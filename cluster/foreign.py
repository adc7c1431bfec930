"""Objects that an update would take over without a word: the stack's state has none of them, and others made them.

Server-side apply changes an object that stands, and creates it only if there is none. A field with another value is a
conflict; an object that is alike would become the stack's, and go with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cluster import discovery
from cluster.client import Api, Request, ask_all
from mesh.analysis.objects import Ref
from mesh.core import words

_SHOWN: Final = 10
"""Objects that a message names."""


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
    """What stands already, and who has set its fields; empty if there is nothing. `manager` is the stack's own field
    manager, which a killed update may have left objects of.

    Objects whose fields nobody has set, such as a namespace's service account `default`, are nobody's. What may not be
    read does not count."""
    kinds = discovery.served(api, {one.type for one in wanted})
    paths = {one.ref: kinds[one.type].path(one.ref.namespace, one.ref.name) for one in wanted if one.type in kinds}
    answers = ask_all(api, [Request("GET", path) for path in paths.values()])
    owners = [_managers(answer.body) if answer.ok else () for answer in answers]
    found = [(ref, names) for ref, names in zip(paths, owners, strict=True) if names and manager not in names]
    lines = sorted(f"{ref} by {' and '.join(names)}" for ref, names in found)
    stands = "object stands" if len(lines) == 1 else "objects stand"
    return f"{len(lines)} {stands} already, made by others: {words.some(lines, _SHOWN)}" if lines else ""


def _managers(body: Any) -> Sequence[str]:
    """Who has set fields of an object, status aside."""
    managed = body["metadata"].get("managedFields") or []
    return [*dict.fromkeys(one["manager"] for one in managed if one.get("subresource") != "status")]
