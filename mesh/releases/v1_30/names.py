"""Labels and environment variables that several parts of Istio 1.30 share."""

from __future__ import annotations

from typing import Final

from mesh.core.names import MODE_LABEL
from mesh.proxy.expr import Node

NO_AMBIENT: Final = {MODE_LABEL: "none"}
"""The label of pods that ambient mode leaves alone."""


def limit_env(name: str, resource: str) -> Node:
    """An environment variable with the container's limit of a resource, in whole units."""
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": f"limits.{resource}", "divisor": "1"}}}
