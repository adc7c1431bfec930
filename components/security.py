"""The policies of `mesh:security`, as Istio's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.inorder import InOrder
from components.traffic import TrafficArgs, add
from mesh.config.stack import Stack


def install(
    stack: Stack,
    namespaces: Mapping[str, pulumi.Input[str]],
    api: Sequence[pulumi.Resource],
    order: InOrder,
    opts: pulumi.ResourceOptions,
) -> None:
    """Adds the policies of `mesh:security` to `order`, if the stack has any."""
    if stack.settings.security:
        args = TrafficArgs(mesh=stack.installation, objects=stack.security, namespaces=namespaces, api=api, order=order)
        Security("security", args, opts)


class Security(pulumi.ComponentResource):
    """Security policies. Those that allow callers are created before those that deny all others, and deleted later."""

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:security:Security", name, None, opts)
        add(self, args)
