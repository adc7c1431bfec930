"""Registers the objects that `mesh:security` becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.traffic import TrafficArgs, register
from mesh.config.stack import Stack


def install(
    stack: Stack,
    namespaces: Mapping[str, pulumi.Input[str]],
    api: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """The rules of `mesh:security`, where the stack has any."""
    if stack.settings.security:
        Security(
            "security",
            TrafficArgs(mesh=stack.installation, objects=stack.security, namespaces=namespaces, api=api),
            opts,
        )


class Security(pulumi.ComponentResource):
    """Rules for security. What lets callers in comes before what shuts everybody else out, and goes after it."""

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:security:Security", name, None, opts)
        register(self, args)
        self.register_outputs({})
