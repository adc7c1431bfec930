"""The state of a stack: what its last update recorded.

This module is loaded before the rest of the program, and so imports little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.core import names


@dataclass(frozen=True)
class StackState:
    """What the stack's state holds from earlier updates."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by `type::name`."""
    urns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same by URN."""

    @staticmethod
    def of(urns: Mapping[str, Mapping[str, Any]]) -> StackState:
        """By the outputs of each URN."""
        return StackState({"::".join(type_and_name(urn)): outputs for urn, outputs in urns.items()}, urns)

    @property
    def provider(self) -> Mapping[str, Any]:
        return self.resources.get("pulumi:providers:kubernetes::cluster", {})

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs."""
        return next((v for k, v in self.resources.items() if k.startswith("pulumi:pulumi:Stack::")), {})

    def has_injector(self, name: str) -> bool:
        return f"kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration::{name}" in self.resources

    def owner_id(self, namespace: str) -> str | None:
        """The id that `namespace` was marked with."""
        outputs = self.resources.get(f"kubernetes:core/v1:Namespace::{namespace}", {})
        annotations: Mapping[str, str] = outputs.get("metadata", {}).get("annotations", {})
        return annotations.get(names.OWNER_ID)


def type_and_name(urn: str) -> tuple[str, str]:
    """Of a URN `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`; empty for none."""
    if not urn:
        return "", ""
    types, name = urn.split("::", 3)[2:]
    return types.rpartition("$")[2], name
