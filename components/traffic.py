"""Registers the objects that `mesh:traffic` becomes, and in the same way those of `mesh:security`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components import kube
from mesh.config.stack import Stack
from mesh.releases.release import Installation
from mesh.traffic.objects import ConfigObject
from mesh.traffic.order import Prerequisites


@dataclass(frozen=True, kw_only=True)
class TrafficArgs:
    """What is registered, and after what."""

    mesh: Installation
    objects: Sequence[ConfigObject]
    namespaces: Mapping[str, pulumi.Input[str]]
    """The name of each namespace, known when it exists."""
    api: Sequence[pulumi.Resource]
    """Istio's definitions and their validation."""


def install(
    stack: Stack,
    namespaces: Mapping[str, pulumi.Input[str]],
    api: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """The rules of `mesh:traffic`, where the stack has any."""
    if stack.settings.traffic:
        Traffic(
            "traffic", TrafficArgs(mesh=stack.installation, objects=stack.traffic, namespaces=namespaces, api=api), opts
        )


class Traffic(pulumi.ComponentResource):
    """Rules for traffic. Versions come before the routes that lead to them, and go after them."""

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:traffic:Traffic", name, None, opts)
        register(self, args)
        self.register_outputs({})


def register(parent: pulumi.Resource, args: TrafficArgs) -> None:
    """Registers the objects as children; those that are late wait for those that they need."""
    versions = args.mesh.release.api
    first = Prerequisites[pulumi.Resource](versions)
    for item in sorted(args.objects, key=lambda item: item.late):
        after = [*args.api, *(first.needed_by(item) if item.late else [])]
        opts = pulumi.ResourceOptions(parent=parent, depends_on=after)
        made = kube.custom(item.manifest(versions), args.namespaces[item.namespace], opts)
        if not item.late:
            first.add(item, made)
