"""Registers the objects that security config becomes."""

from __future__ import annotations

import pulumi

from components.traffic import TrafficArgs, register


class Security(pulumi.ComponentResource):
    """Rules for security. What lets callers in comes before what shuts everybody else out, and goes after it."""

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:security:Security", name, None, opts)
        register(self, args)
        self.register_outputs({})
