"""What the running program's stack recorded when it was last updated.

It is asked for before the rest of the program is loaded, and so loads little itself: while Python is busy with one
processor, the engine reads the state with another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from components import cluster


@dataclass(frozen=True)
class Recorded:
    """What the stack's state holds from earlier updates."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by `type::name`."""
    urns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same by URN."""

    @staticmethod
    def of(urns: Mapping[str, Mapping[str, Any]]) -> Recorded:
        """By the outputs of each URN."""
        return Recorded({"::".join(type_and_name(urn)): outputs for urn, outputs in urns.items()}, urns)

    @property
    def provider(self) -> Mapping[str, Any]:
        return self.resources.get("pulumi:providers:kubernetes::cluster", {})

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs."""
        return next((v for k, v in self.resources.items() if k.startswith("pulumi:pulumi:Stack::")), {})

    def has_namespace(self, name: str) -> bool:
        return f"kubernetes:core/v1:Namespace::{name}" in self.resources

    def has_injector(self, name: str) -> bool:
        return f"kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration::{name}" in self.resources

    def owner_id(self, namespace: str) -> str | None:
        """The id that `namespace` was marked with."""
        outputs = self.resources.get(f"kubernetes:core/v1:Namespace::{namespace}", {})
        annotations: Mapping[str, str] = outputs.get("metadata", {}).get("annotations", {})
        return annotations.get(cluster.ID)


def type_and_name(urn: str) -> tuple[str, str]:
    """Of a URN `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`; empty for none."""
    if not urn:
        return "", ""
    types, name = urn.split("::", 3)[2:]
    return types.rpartition("$")[2], name


def ask() -> Future[Recorded]:
    """Asks the engine, which answers from the backend that the user is logged in to."""
    import pulumi  # commands, which need the above alone, do without
    from pulumi.runtime import invoke_async

    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"

    def answer() -> Recorded:
        # By the SDK's own call: where none was begun before the program's end, the SDK does not wait for those that are
        # under way then, but asks in a circle whether they are done, half a second of processors' time in a preview.
        said = asyncio.run(invoke_async("pulumi:pulumi:readStackResourceOutputs", {"stackName": name}))
        resources: Mapping[str, Mapping[str, Any]] = (said or {}).get("outputs", {})
        return Recorded.of({urn: resource.get("outputs") or {} for urn, resource in resources.items()})

    pool = ThreadPoolExecutor(1)
    asked = pool.submit(copy_context().run, answer)  # the SDK keeps in the context whom to ask
    pool.shutdown(wait=False)
    return asked
