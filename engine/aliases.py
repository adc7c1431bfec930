"""Aliases for objects that another component of the stack made before, so that they are kept.

The parent is a part of a resource's identity in Pulumi. An object that moves to another component, such as a
VirtualService of Bookinfo's that an entry of `mesh:traffic` now makes, would be one resource to create and another one
to delete, and the deletion would remove the object that was just created.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pulumi

from cluster.state import type_and_name
from engine.manifests import as_data


class FormerParents:
    """The parents that the objects in the stack's state have."""

    def __init__(self, recorded: Mapping[str, Mapping[str, Any]]) -> None:
        """`recorded`: outputs by URN."""
        self._recorded = recorded
        self._urns: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for urn in recorded:
            self._urns[type_and_name(urn)][_parent(urn)] = urn

    def alias(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A transformation of the stack: an object with a new parent gets its URN in the state as an alias."""
        if not args.type_.startswith("kubernetes:"):
            return None
        known = self._urns.get((args.type_, args.name), {})
        parent = args.opts.parent.pulumi_resource_type if args.opts.parent else ""
        if not known or parent in known:
            return None
        here = _namespace(as_data(args.props))
        former = pulumi.ResourceOptions(
            aliases=[urn for urn in known.values() if _namespace(self._recorded[urn]) == here]
        )
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, former))


def _namespace(thing: Mapping[str, Any]) -> str:
    return (thing.get("metadata") or {}).get("namespace") or ""


def _parent(urn: str) -> str:
    """The type of a resource's parent; empty for one without."""
    return urn.split("::")[2].rpartition("$")[0].rpartition("$")[2]
