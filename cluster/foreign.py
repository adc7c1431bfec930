"""Objects that an update would take over without a word: the stack's state has none of them, and others made them.

Server-side apply changes an object that stands, and creates it only if there is none. A field with another value is a
conflict; an object that is alike would become the stack's, and go with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cluster import discovery
from cluster.client import Api, Request, ask_all
from mesh.core import words

_SHOWN: Final = 10
"""Objects that a message names."""


class Wanted(NamedTuple):
    """An object that is to be created."""

    version: str
    """`apiVersion`."""
    kind: str
    namespace: str
    """Empty for a cluster-scoped object."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(filter(None, (self.namespace, self.name)))}"


def problem(api: Api, wanted: Sequence[Wanted], manager: str) -> str:
    """What stands already, and who has set its fields; empty if there is nothing. `manager` is the stack's own field
    manager, which a killed update may have left objects of.

    Objects whose fields nobody has set, such as a namespace's service account `default`, are nobody's. What may not be
    read does not count."""
    kinds = discovery.served(api, {(one.version, one.kind) for one in wanted})
    paths = [(one, kinds[one.version, one.kind]) for one in wanted if (one.version, one.kind) in kinds]
    answers = ask_all(api, [Request("GET", f"{kind.collection(one.namespace)}/{one.name}") for one, kind in paths])
    owners = [_managers(answer.body) if answer.ok else () for answer in answers]
    found = [(one, names) for (one, _), names in zip(paths, owners, strict=True) if names and manager not in names]
    lines = sorted(f"{one} by {' and '.join(names)}" for one, names in found)
    stands = "object stands" if len(lines) == 1 else "objects stand"
    return f"{len(lines)} {stands} already, made by others: {words.some(lines, _SHOWN)}" if lines else ""


def _managers(body: Any) -> Sequence[str]:
    """Who has set fields of an object, status aside."""
    managed = body["metadata"].get("managedFields") or []
    return [*dict.fromkeys(one["manager"] for one in managed if one.get("subresource") != "status")]
