"""Objects that another component of the stack made before: they stay the objects that they are.

Pulumi knows a resource by its parent, too. An object that moves to another component, such as a VirtualService of
Bookinfo's for which an entry of `mesh:traffic` now stands, would be one resource that comes and one that goes: what is
created over the old object would be deleted with it.
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
        """A transformation of the stack: gives an object whose parent is new the name that it has in the state."""
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
