"""The rules of `mesh:traffic`, as Istio's objects. `mesh:security` uses the same registration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pulumi

from components import kube
from components.inorder import InOrder
from mesh.config.stack import Stack
from mesh.releases.release import Installation
from mesh.traffic.objects import ConfigObject


@dataclass(frozen=True, kw_only=True)
class TrafficArgs:
    """Arguments of Traffic and of Security."""

    mesh: Installation
    objects: Sequence[ConfigObject]
    namespaces: Mapping[str, pulumi.Input[str]]
    """The name of each namespace as an output that is known when the namespace exists."""
    api: Sequence[pulumi.Resource]
    """Istio's custom resource definitions and the validation webhook: custom resources are created after these."""
    order: InOrder


def install(
    stack: Stack,
    namespaces: Mapping[str, pulumi.Input[str]],
    api: Sequence[pulumi.Resource],
    order: InOrder,
    opts: pulumi.ResourceOptions,
) -> None:
    """Adds the rules of `mesh:traffic` to `order`, if the stack has any."""
    if stack.settings.traffic:
        args = TrafficArgs(mesh=stack.installation, objects=stack.traffic, namespaces=namespaces, api=api, order=order)
        Traffic("traffic", args, opts)


class Traffic(pulumi.ComponentResource):
    """Traffic rules. Subsets are created before the routes to them, and deleted after them."""

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:traffic:Traffic", name, None, opts)
        add(self, args)


def add(parent: pulumi.ComponentResource, args: TrafficArgs) -> None:
    """Adds the objects to the order, as children of `parent`."""
    args.order.parent(parent)
    for item in args.objects:
        args.order.add(item.ref, partial(_made, parent, args, item))


def _made(
    parent: pulumi.Resource, args: TrafficArgs, item: ConfigObject, needed: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[*args.api, *needed])
    return kube.custom_resource(item.manifest(args.mesh.api), args.namespaces[item.namespace], opts)
