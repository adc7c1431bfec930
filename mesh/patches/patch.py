"""`mesh:patches`: an entry, and the objects that it changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from mesh.analysis.objects import Ref
from mesh.core import kinds
from mesh.core.errors import show
from mesh.core.typed import Deciding, Documented, Findings
from mesh.patches import merge, operations
from mesh.patches.operations import Operation
from mesh.patches.paths import Merging

KEY: Final = "mesh:patches"
"""The config key."""
_OBJECT: Final = re.compile(r"(?P<kind>[A-Z]\w*(\.[\w.-]+)?) +((?P<namespace>[^/\s]+)/)?(?P<name>[^/\s]+)")


def _object(text: str) -> str:
    if not _OBJECT.fullmatch(text):
        raise ValueError(
            f'{show(text)} is not an object: write it like "Deployment istio-system/istiod", or "ClusterRole istiod-*"'
            " if its kind is cluster-scoped"
        )
    return text


class Patch(Documented):
    """A change to objects for which there is no setting; see [Patches](patches.md)."""

    object: Annotated[str, AfterValidator(_object), Deciding]
    """The objects: `Kind namespace/name`, or `Kind name` if the kind is cluster-scoped. `*` matches any text in
    namespace and name."""
    merge: dict[str, Any] | None = None
    """A strategic merge patch, as `kubectl patch` takes it: containers, variables, volumes and ports are merged by
    their names or numbers, `null` removes a field, and `$patch: delete` an item."""
    json_: tuple[Operation, ...] | None = Field(default=None, alias="json")
    """A JSON patch (RFC 6902), in place of `merge`: operations in the order in which they are applied."""

    def check(self) -> Findings:
        if (self.merge is None) == (self.json_ is None):
            yield (), "needs either merge or json"

    def covers(self, ref: Ref) -> bool:
        """Whether it is about an object."""
        found = _OBJECT.fullmatch(self.object)
        assert found, "the type has checked it"
        place = found["namespace"] or ""
        return (
            found["kind"] == str(ref.kind)
            and bool(place) == bool(ref.namespace)
            and _matches(place, ref.namespace)
            and _matches(found["name"], ref.name)
        )

    @property
    def kind(self) -> str:
        """The kind of the objects, as `GroupKind` writes it."""
        return self.object.partition(" ")[0]

    def applied(self, body: Mapping[str, Any], how: Merging) -> Mapping[str, Any]:
        """The object with the patch. Raises PatchError."""
        if self.merge is not None:
            return merge.merged(body, self.merge, how)
        for operation in self.json_ or ():
            body = operations.applied(body, operation)
        return body

    @property
    def text(self) -> str:
        """The patch as text, which changes whenever the patch does."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)


def _matches(pattern: str, name: str) -> bool:
    literal = re.sub(r"([\[\]?])", r"[\1]", pattern)  # no wildcards but `*`
    return fnmatchcase(name, literal)


def key(index: int) -> str:
    """The config key of an entry."""
    return f"{KEY}[{index}]"


UNPATCHED: Final[Mapping[kinds.GroupKind, str]] = {
    kinds.CUSTOM_RESOURCE_DEFINITION: "CRDs are generated from the types that all objects are checked with",
}
"""Kinds that are not patched, with the reason."""
