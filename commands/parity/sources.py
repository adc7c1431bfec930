"""The objects that `make parity` and `make adopt` compare: of a stack, of files, or of a cluster."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cluster import leftovers
from cluster.client import Answer, Api, Request, ask_all
from cluster.discovery import Kind
from cluster.errors import Refused
from commands import render
from commands.checks.plan import Plan, Planned, plan
from commands.parity.normal import Manifest
from mesh import manifests
from mesh.analysis.objects import Object, Ref, Writes
from mesh.apps import fields, files
from mesh.config.stack import Stack
from mesh.core import kinds
from mesh.core.kinds import GroupKind

_OF_CONTROLLERS: Final = frozenset(
    ("kube-root-ca.crt", "default", *(trace.name for trace in leftovers.MADE_BY_ISTIOD if trace.name))
)
"""Names of objects that Kubernetes creates in every namespace, or that istiod creates."""
_OF_TOOLS: Final = ("kubernetes.io/service-account-token", "helm.sh/release.v1")
"""Types of Secrets that are not part of an installation."""


@dataclass(frozen=True)
class StackObjects:
    """The objects that a stack would create on its cluster."""

    plan: Plan
    component: Mapping[Ref, str]
    """The name of each object's component."""
    others: Mapping[Ref, Sequence[str]] = field(default_factory=dict)
    """Paths of the fields in objects of apps that another controller sets."""
    patched: Mapping[Ref, Writes] = field(default_factory=dict)
    """The fields that `mesh:patches` set."""

    @property
    def objects(self) -> list[Manifest]:
        """The manifests of the objects that the stack owns as a whole."""
        return [planned.manifest for planned in self.plan.objects if not planned.patch]

    def beside(self, theirs: Sequence[Manifest]) -> list[Manifest]:
        """The same objects, with the values from `theirs` for the fields that another controller sets."""
        there = {Ref.of(manifest): manifest for manifest in theirs}
        return [self.shared(manifest, there.get(Ref.of(manifest), {})) for manifest in self.objects]

    def shared(self, manifest: Manifest, there: Manifest) -> Manifest:
        """An object, with the values from `there` for the fields that another controller sets."""
        paths = self.others.get(Ref.of(manifest), ())
        return fields.laid_over(manifest, there, paths) if paths and there else manifest

    @property
    def patches(self) -> list[Manifest]:
        """The manifests of the fields that the stack sets in objects that it does not manage."""
        return [planned.manifest for planned in self.plan.objects if planned.patch]


def of_stack(name: str, stack: Stack, config: Mapping[str, str] | None = None) -> StackObjects:
    """The objects of a stack, without asking a cluster. `config` is for a stack without a stack file."""
    with contextlib.redirect_stderr(io.StringIO()):  # the program warns that it asks no cluster
        resources = render.record(name, config, stack=stack)
    names = {r.urn: r.name for r in resources}
    component = {Ref.of(m): names.get(r.parent, "") for r in resources for m in render.manifests([r])}
    others = {item.ref: item.others for item in stack.apps.objects if item.others}
    made = plan(resources, stack.settings)
    found = stack.with_origins(Object.read(one.manifest) for one in made.objects if not one.patch)
    return StackObjects(made, component, others, {one.ref: one.patched for one in found if one.patched})


def of_files(path: str) -> list[Manifest]:
    """The objects of a file or a folder; those without a namespace get `default`. Raises ManifestError."""
    found = files.objects(manifests.read([path], Path.cwd(), outside=True))
    return [dict(obj.body) for obj in found]


def of_cluster(api: Api, ours: Plan) -> list[Manifest]:
    """The objects of a cluster to compare with: those of the stack that exist there, and further objects of the same
    kinds in the namespaces that the stack creates, or, if cluster-scoped, with `istio` in their name. Raises Refused if
    the caller may not read them."""
    types = ours.kinds(api)
    served = [(planned, kind) for planned in ours.objects if (kind := types[planned.type]) and kind.served]
    answers = ask_all(api, [Request("GET", path_of(planned, kind)) for planned, kind in served])
    found = [manifest for manifest in map(_there, answers) if manifest is not None]
    known = {Ref.of(manifest) for manifest in found}
    return found + [m for m in _further(api, ours, types) if Ref.of(m) not in known]


def path_of(planned: Planned, kind: Kind) -> str:
    """The API path of an object."""
    return kind.path(planned.namespace, planned.name)


def _there(answer: Answer) -> Manifest | None:
    if answer.code == 404:
        return None
    if not answer.ok:
        raise Refused(answer.message)
    return answer.body


def _further(api: Api, ours: Plan, known: Mapping[tuple[str, str], Kind | None]) -> Iterator[Manifest]:
    """The further objects on the cluster that `of_cluster` returns; the stack's own may be among them."""
    made = [name for name, how in ours.namespaces.items() if how == "create"]
    wanted = [
        (type_, kind, place)
        for type_, kind in known.items()
        if kind
        and kind.served
        and GroupKind.of_version(*type_) not in (kinds.CUSTOM_RESOURCE_DEFINITION, kinds.NAMESPACE)
        for place in (made if kind.namespaced else [""])
    ]
    answers = ask_all(api, [Request("GET", kind.collection(place)) for _, kind, place in wanted])
    for (type_, kind, _), answer in zip(wanted, answers, strict=True):
        for item in (_there(answer) or {}).get("items") or []:
            if _is_somebodys(item) and (kind.namespaced or "istio" in item["metadata"]["name"]):
                yield {"apiVersion": type_[0], "kind": type_[1], **item}


def _is_somebodys(item: Mapping[str, Any]) -> bool:
    """Whether a person or an installer created the object, and not a controller or a tool for itself."""
    meta = item["metadata"]
    return not (meta.get("ownerReferences") or meta["name"] in _OF_CONTROLLERS or item.get("type") in _OF_TOOLS)
