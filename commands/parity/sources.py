"""Where the two sides of a comparison come from: a stack's program; files; a cluster."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cluster.client import Answer, Api, Request, ask_all
from cluster.errors import Refused
from commands import render, residue
from commands.checks.plan import Kind, Plan, Planned, plan
from commands.parity.normal import Manifest
from commands.stackfiles import CommandError
from mesh.analysis.objects import Ref
from mesh.config.stack import Stack
from mesh.core import kinds
from mesh.core.kinds import GroupKind

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_OF_CONTROLLERS: Final = frozenset(
    ("kube-root-ca.crt", "default", *(n for names in residue.TRACES.values() for n in names))
)
"""Names of objects that appear in every namespace by themselves, or that istiod writes."""
_OF_TOOLS: Final = ("kubernetes.io/service-account-token", "helm.sh/release.v1")
"""Types of Secrets that are not part of an installation."""


@dataclass(frozen=True)
class Ours:
    """What a stack would put on its cluster."""

    plan: Plan
    component: Mapping[Ref, str]
    """The name of the component that an object is part of."""

    @property
    def objects(self) -> list[Manifest]:
        """Those that are the stack's as a whole."""
        return [planned.manifest for planned in self.plan.objects if not planned.patch]

    @property
    def patches(self) -> list[Manifest]:
        """Of objects of others, the fields that are the stack's."""
        return [planned.manifest for planned in self.plan.objects if planned.patch]


def ours(name: str, stack: Stack) -> Ours:
    """The objects of the stack of a name; no cluster is asked."""
    with contextlib.redirect_stderr(io.StringIO()):  # where the program says so
        resources = render.record(name, stack=stack)
    names = {r.urn: r.name for r in resources}
    component = {Ref.of(m): names.get(r.parent, "") for r in resources for m in render.manifests([r])}
    return Ours(plan(resources, stack.settings), component)


def files(path: Path, here: Ours) -> list[Manifest]:
    """The objects in a file, or in all below a folder, of YAML or JSON. CommandError if they are none.

    An object that does not say its namespace is in `default`, as kubectl takes it."""
    found = sorted(f for f in path.rglob("*") if f.suffix in _SUFFIXES) if path.is_dir() else [path]
    namespaced = {Ref.of(m).kind for m in [*here.objects, *here.patches] if m["metadata"].get("namespace")}
    return [_placed(manifest, namespaced) for file in found for manifest in _read(file)]


def _read(file: Path) -> Iterator[Manifest]:
    try:
        documents = list(yaml.safe_load_all(file.read_text()))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    for document in filter(None, documents):
        listed = isinstance(document, dict) and str(document.get("kind", "")).endswith("List")
        for manifest in document.get("items") or [] if listed else [document]:
            if not (isinstance(manifest, dict) and {"apiVersion", "kind", "metadata"} <= manifest.keys()):
                raise CommandError(f"{file}: expected Kubernetes objects, each with apiVersion, kind and metadata")
            yield manifest


def _placed(manifest: Manifest, namespaced: set[GroupKind]) -> Manifest:
    if GroupKind.of(manifest) in namespaced and not manifest["metadata"].get("namespace"):
        return {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}}
    return manifest


def standing(api: Api, here: Plan) -> list[Manifest]:
    """What stands on a cluster: of the stack's objects those that are there, and what else there is of their kinds in
    the namespaces that the stack makes, or with Istio's name. Refused if it may not be read."""
    types = here.kinds(api)
    served = [(planned, kind) for planned in here.objects if (kind := types[planned.type]) and kind.served]
    answers = ask_all(api, [Request("GET", path_of(planned, kind)) for planned, kind in served])
    found = [manifest for manifest in map(_there, answers) if manifest is not None]
    known = {Ref.of(manifest) for manifest in found}
    return found + [m for m in _further(api, here, types) if Ref.of(m) not in known]


def path_of(planned: Planned, kind: Kind) -> str:
    """Where an object is found."""
    return f"{kind.collection(planned.namespace)}/{planned.name}"


def _there(answer: Answer) -> Manifest | None:
    if answer.code == 404:
        return None
    if not answer.ok:
        raise Refused(answer.message)
    return answer.body


def _further(api: Api, here: Plan, known: Mapping[tuple[str, str], Kind | None]) -> Iterator[Manifest]:
    """What the stack does not have."""
    made = [name for name, how in here.namespaces.items() if how == "create"]
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
    """Whether a person or an installer has made it, and not a controller."""
    meta = item["metadata"]
    return not (meta.get("ownerReferences") or meta["name"] in _OF_CONTROLLERS or item.get("type") in _OF_TOOLS)
