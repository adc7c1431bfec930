"""The Pulumi state of a stack after its last update.

This module is imported before the rest of the program, so it imports little itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.core import names


@dataclass(frozen=True)
class StackState:
    """The outputs of each resource in a stack's state; empty for a stack that was never updated."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by `type::name`."""
    urns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by URN."""

    @staticmethod
    def of(urns: Mapping[str, Mapping[str, Any]]) -> StackState:
        """The state with these outputs by URN."""
        return StackState({"::".join(type_and_name(urn)): outputs for urn, outputs in urns.items()}, urns)

    @property
    def provider(self) -> Mapping[str, Any]:
        """The outputs of the Kubernetes provider: `context`, `clusterIdentifier` and others."""
        return self.resources.get("pulumi:providers:kubernetes::cluster", {})

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs."""
        return next((v for k, v in self.resources.items() if k.startswith("pulumi:pulumi:Stack::")), {})

    @property
    def manifests(self) -> Iterator[Mapping[str, Any]]:
        """The Kubernetes objects, including parts of objects (`…Patch`)."""
        return (one for one in self.urns.values() if {"apiVersion", "kind", "metadata"} <= one.keys())

    @property
    def being_deleted(self) -> int:
        """The number of objects that were being deleted when they were last recorded."""
        return sum(is_being_deleted(outputs) for outputs in self.urns.values())

    def has_injector(self, name: str) -> bool:
        """Whether the stack created the injection webhook `name`."""
        return f"kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration::{name}" in self.resources

    def owner_id(self, namespace: str) -> str | None:
        """The owner's id in the annotations of `namespace`; None if the state does not have the namespace."""
        outputs = self.resources.get(f"kubernetes:core/v1:Namespace::{namespace}", {})
        annotations: Mapping[str, str] = outputs.get("metadata", {}).get("annotations", {})
        return annotations.get(names.OWNER_ID)


def is_being_deleted(outputs: Mapping[str, Any]) -> bool:
    """Whether recorded outputs are those of an object that is being deleted, as Kubernetes marks it."""
    metadata = outputs.get("metadata")
    return isinstance(metadata, Mapping) and "deletionTimestamp" in metadata


def type_and_name(urn: str) -> tuple[str, str]:
    """Type and name in a URN `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`; empty for an empty URN."""
    if not urn:
        return "", ""
    types, name = urn.split("::", 3)[2:]
    return types.rpartition("$")[2], name
