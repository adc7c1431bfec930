"""The rules of `mesh:traffic`, as Istio's objects; `mesh:security` uses the same registration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import kube
from mesh.config.stack import Stack
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.releases.release import Installation
from mesh.traffic.objects import ConfigObject
from mesh.traffic.order import Prerequisites

Receivers = Callable[[Mapping[str, Any]], list[pulumi.Resource]]


def _none(_: Mapping[str, Any]) -> list[pulumi.Resource]:
    return []


@dataclass(frozen=True, kw_only=True)
class TrafficArgs:
    """Arguments of Traffic and of Security."""

    mesh: Installation
    objects: Sequence[ConfigObject]
    namespaces: Mapping[str, pulumi.Input[str]]
    """The name of each namespace as an output that is known when the namespace exists."""
    api: Sequence[pulumi.Resource]
    """Istio's custom resource definitions and the validation webhook: custom resources are created after these."""
    receivers: Receivers = _none
    """The resources of apps that a VirtualService leads to: it is created after them."""


def install(
    stack: Stack,
    namespaces: Mapping[str, pulumi.Input[str]],
    api: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
    receivers: Receivers = _none,
) -> None:
    """Installs the rules of `mesh:traffic`, if the stack has any. `receivers` gives the resources of apps that a
    VirtualService leads to."""
    if stack.settings.traffic:
        args = TrafficArgs(
            mesh=stack.installation, objects=stack.traffic, namespaces=namespaces, api=api, receivers=receivers
        )
        Traffic("traffic", args, opts)


class Traffic(pulumi.ComponentResource):
    """Traffic rules. Subsets are created before the routes to them, and deleted after them."""

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:traffic:Traffic", name, None, opts)
        register(self, args)
        self.register_outputs({})


def register(parent: pulumi.Resource, args: TrafficArgs) -> None:
    """Registers the objects as children of `parent`. Late ones depend on the others that they need."""
    versions = args.mesh.release.api
    first = Prerequisites[pulumi.Resource](versions)
    for item in sorted(args.objects, key=lambda item: item.late):
        manifest = item.manifest(versions)
        after = [*args.api, *(first.needed_by(item) if item.late else [])]
        if GroupKind.of(manifest) == kinds.VIRTUAL_SERVICE:
            after += args.receivers(manifest)
        opts = pulumi.ResourceOptions(parent=parent, depends_on=after)
        made = kube.custom_resource(manifest, args.namespaces[item.namespace], opts)
        if not item.late:
            first.add(item, made)
