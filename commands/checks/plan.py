"""The objects that a stack would create on its cluster, and the API server's names for their kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cluster.client import Api
from cluster.discovery import Kind, served
from commands import render
from engine.recorder import Resource
from mesh.config.settings import Settings
from mesh.core import kinds, names, pods
from mesh.core.kinds import GroupKind

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """An object of the plan."""

    manifest: Manifest
    patch: bool
    """Whether the stack only sets some fields of an object that others own."""
    manager: str
    """The field manager that applies it."""

    @property
    def kind(self) -> GroupKind:
        return GroupKind.of(self.manifest)

    @property
    def type(self) -> tuple[str, str]:
        """API version and kind."""
        return self.manifest["apiVersion"], self.kind.name

    @property
    def pod(self) -> Mapping[str, Any]:
        """The spec of the pods that it creates; empty if it creates none."""
        return pods.pod_spec(self.kind, self.manifest)[1]

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Empty for a cluster-scoped object."""
        return self.manifest["metadata"].get("namespace") or ""

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(filter(None, (self.namespace, self.name)))}"


@dataclass(frozen=True)
class Plan:
    """The objects of a stack."""

    objects: Sequence[Planned]
    settings: Settings

    def of(self, kind: GroupKind) -> Iterator[Planned]:
        return (planned for planned in self.objects if planned.kind == kind)

    @cached_property
    def namespaces(self) -> Mapping[str, str]:
        """Every namespace that the stack creates or uses, with `create` or `existing`."""
        made = {p.name: "create" for p in self.of(kinds.NAMESPACE) if not p.patch}
        used = dict.fromkeys((workload.namespace for workload in self.workloads), "existing")
        return {**used, **made, **self.settings.ownership}

    @cached_property
    def injected(self) -> Mapping[str, Mapping[str, str]]:
        """The namespaces with automatic injection, each with its injection label."""
        return self.settings.injection_labels

    @cached_property
    def workloads(self) -> Sequence[Planned]:
        """The objects that create pods."""
        return [planned for kind in pods.TEMPLATES for planned in self.of(kind)]

    def kinds(self, api: Api) -> dict[tuple[str, str], Kind | None]:
        """Each kind of the plan, by API version and kind; None if neither the API server nor a definition of the plan
        has it."""
        types = {planned.type for planned in self.objects}
        found: dict[tuple[str, str], Kind | None] = dict.fromkeys(types)
        return found | {type_: kind for type_, kind in self._defined() if type_ in types} | served(api, types)

    def _defined(self) -> Iterator[tuple[tuple[str, str], Kind]]:
        """The kinds that the definitions of the plan add."""
        for definition in self.of(kinds.CUSTOM_RESOURCE_DEFINITION):
            spec = definition.manifest["spec"]
            names, group = spec["names"], spec["group"]
            for version in spec["versions"]:
                kind = Kind(group, version["name"], names["plural"], spec["scope"] == "Namespaced", False)
                yield (f"{group}/{version['name']}", names["kind"]), kind


def plan(resources: Sequence[Resource], settings: Settings) -> Plan:
    """The plan of a stack, from the resources that `render.record` returns."""
    return Plan([_planned(r, m) for r in resources for m in render.manifests([r])], settings)


def _planned(resource: Resource, manifest: Manifest) -> Planned:
    manager = resource.inputs["metadata"]["annotations"][names.FIELD_MANAGER]
    return Planned(manifest, resource.type.endswith("Patch"), manager)
