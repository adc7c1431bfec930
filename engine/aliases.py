"""Compares the program's Kubernetes objects with the stack's state: which are new, and which have another URN there.

The URN of a resource contains its parent, its name, and its type with the API version. It changes if an object moves to
another component (such as a VirtualService of Bookinfo that an entry of `mesh:traffic` now defines) or to another API
version. Without an alias, Pulumi would then create one resource and delete another. The deletion would remove the
object that was just created.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import pulumi

from cluster.foreign import Wanted
from cluster.state import type_and_name
from engine.manifests import as_data, as_manifest, kind_of
from mesh.analysis.objects import Ref
from mesh.core.kinds import GroupKind


class _Identity(NamedTuple):
    """The identity of an object on the API server, and whether the resource has only some of its fields (`…Patch`)."""

    kind: GroupKind
    patch: bool
    namespace: str
    name: str


class FormerUrns:
    """The URNs of the objects in the stack's state."""

    def __init__(self, recorded: Mapping[str, Mapping[str, Any]]) -> None:
        """`recorded` has the outputs in the state by URN."""
        self.new: list[Wanted] = []
        """The objects of the program that are not in the state, except for those of which it sets only some fields."""
        self._urns: dict[_Identity, list[str]] = defaultdict(list)
        for urn, outputs in recorded.items():
            if found := _identity(type_and_name(urn)[0], outputs.get("metadata") or {}):
                self._urns[found].append(urn)

    def alias(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A stack transformation: an object whose URN has changed gets its URN in the state as an alias."""
        identity = _identity(args.type_, as_data(args.props.get("metadata")) or {})
        known = self._urns.get(identity, []) if identity else []
        if identity and not known and not identity.patch:
            version = as_manifest(args.type_, {})["apiVersion"]
            self.new.append(Wanted(version, Ref(identity.kind, identity.namespace, identity.name)))
        parent = args.opts.parent.pulumi_resource_type if args.opts.parent else ""
        if not known or (parent, args.type_, args.name) in map(_parts, known):
            return None
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(aliases=list(known)))
        return pulumi.ResourceTransformationResult(args.props, options)


def _identity(token: str, meta: Mapping[str, Any]) -> _Identity | None:
    """The identity of an object by its type token and metadata; None if it is no object, or its name is not known."""
    kind = kind_of(token)
    if kind is None or not meta.get("name"):
        return None
    return _Identity(kind, token.endswith("Patch"), meta.get("namespace") or "", meta["name"])


def _parts(urn: str) -> tuple[str, str, str]:
    """The type of a resource's parent (empty if it has none), and the resource's own type and name."""
    parents, _, token = urn.split("::", 3)[2].rpartition("$")
    return parents.rpartition("$")[2], token, type_and_name(urn)[1]
