"""Aliases for Kubernetes objects that move from one component of the stack to another.

The parent is a part of a resource's URN. Without an alias, an object with a new parent (such as a VirtualService of
Bookinfo that an entry of `mesh:traffic` now defines) would be one resource to create and another one to delete, and the
deletion would remove the object that was just created.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pulumi

from cluster.state import type_and_name
from engine.manifests import as_data


class FormerParents:
    """The parents of the objects in the stack's state."""

    def __init__(self, recorded: Mapping[str, Mapping[str, Any]]) -> None:
        """`recorded` has the outputs in the state by URN."""
        self._recorded = recorded
        self._urns: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for urn in recorded:
            self._urns[type_and_name(urn)][_parent(urn)] = urn

    def alias(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A stack transformation: an object whose parent has changed gets its URN in the state as an alias."""
        if not args.type_.startswith("kubernetes:"):
            return None
        known = self._urns.get((args.type_, args.name), {})
        parent = args.opts.parent.pulumi_resource_type if args.opts.parent else ""
        if not known or parent in known:
            return None
        namespace = _namespace(as_data(args.props))
        former = pulumi.ResourceOptions(
            aliases=[urn for urn in known.values() if _namespace(self._recorded[urn]) == namespace]
        )
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, former))


def _namespace(manifest: Mapping[str, Any]) -> str:
    return (manifest.get("metadata") or {}).get("namespace") or ""


def _parent(urn: str) -> str:
    """The type of a resource's parent, from the resource's URN; empty without a parent."""
    return urn.split("::")[2].rpartition("$")[0].rpartition("$")[2]
