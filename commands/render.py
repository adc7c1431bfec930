"""`make render`: writes the objects of a stack as YAML files. Most other commands also get a stack's objects here.

The objects come from the program itself, which runs with a recorder instead of Pulumi's engine.
"""

from __future__ import annotations

import os
import runpy
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cluster.target import OFFLINE
from commands import pulumi_cli, stackfiles, stacks
from commands.stackfiles import PROJECT, ROOT
from engine import program, recorder
from engine.recorder import Resource
from mesh.analysis.objects import Ref
from mesh.config import loading
from mesh.config.stack import Stack
from mesh.core import documents, kinds, names, pods, secure
from mesh.core.kinds import GroupKind
from mesh.core.secure import HIDDEN

FIRST: Final = "1-namespaces-and-definitions"
THEN: Final = "2-objects"
LAST: Final = "3-injected-and-validated"
"""The folders that are written, in the order in which they have to be applied. The last one needs a running istiod:
without it, pods would start without a sidecar, and the API server would refuse objects of Istio's API."""
FOLDERS: Final = (FIRST, THEN, LAST)

_OURS: Final = ("pulumi.com/", names.OWNER_PROJECT.split("/")[0] + "/")
"""Prefixes of annotations that only Pulumi and this project read."""


def record(name: str, config: Mapping[str, str] | None = None, stack: Stack | None = None) -> list[Resource]:
    """The resources that the program registers for a stack, without asking a cluster. Raises SettingsError.

    `config` replaces the config of the stack's file. `stack` is the compiled config, if the caller already has it."""
    chosen = stackfiles.config(name) if config is None else config
    with program.using_stack(stack or loading.load(chosen, os.environ.get("CONTEXT") or None)), offline():
        return recorder.registered(_program, PROJECT, name, chosen)


def offline() -> AbstractContextManager[None]:
    """A context in which the program asks no cluster."""
    return pulumi_cli.variables({OFFLINE: "1", **pulumi_cli.embedded_clusters()})


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The result of `render`."""

    count: int
    """The number of files."""
    folders: Sequence[str]
    """The folders that hold a file, in the order in which they have to be applied."""
    left_out: Sequence[str]
    """The encrypted values that are missing in the files, each with the object that needs it."""


def render(stack: str, out: Path) -> Rendered:
    """Writes a file below `out` for each object of the stack, without encrypted values. Replaces the earlier files."""
    for folder in FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
    whole = stacks.load(stack)
    resources = record(stack, stack=whole)
    written = files(list(manifests(resources)))
    for name, manifest in written.items():
        place = out / _folder(manifest, whole.settings.injectedNamespaces.keys())
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.yaml").write_text(documents.dump(manifest, sort_keys=True, width=120))
    folders = [folder for folder in FOLDERS if (out / folder).exists()]
    return Rendered(count=len(written), folders=folders, left_out=list(_left_out(resources)))


def _folder(manifest: Mapping[str, Any], injected: Set[str]) -> str:
    kind = GroupKind.of(manifest)
    if kind in (kinds.NAMESPACE, kinds.CUSTOM_RESOURCE_DEFINITION):
        return FIRST
    runs = kind in pods.TEMPLATES and manifest["metadata"].get("namespace") in injected
    return LAST if runs or kind.group.endswith(".istio.io") else THEN


def _left_out(resources: Iterable[Resource]) -> Iterator[str]:
    """The encrypted values that the objects need."""
    for inputs in (one.inputs for one in resources if one.type.startswith("kubernetes:")):
        is_secret = GroupKind.of(inputs) == kinds.SECRET
        keys = ["the values"] if is_secret else dict.fromkeys(secure.keys_of(inputs))
        yield from (f"{key} of {Ref.of(inputs)}" for key in keys)


def files(objects: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The objects by file name without suffix: `<kind>-<namespace>-<name>`, or `<kind>_<group>_<namespace>_<name>` if
    several objects would share the short name."""
    refs = [Ref.of(manifest) for manifest in objects]
    short = ["-".join(filter(None, (ref.kind.name.lower(), ref.namespace, ref.name))) for ref in refs]
    count = Counter(short)
    long = ["_".join(filter(None, (*ref.kind, ref.namespace, ref.name))).lower() for ref in refs]
    return {
        one if count[one] == 1 else other: manifest for one, other, manifest in zip(short, long, objects, strict=True)
    }


def manifests(resources: list[Resource]) -> Iterator[dict[str, Any]]:
    """The Kubernetes objects among the resources."""
    return (manifest(resource.inputs) for resource in resources if resource.type.startswith("kubernetes:"))


def manifest(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The Kubernetes object of a resource's inputs, without annotations for Pulumi and the values of a Secret."""
    whole = dict(inputs)
    meta = dict(whole["metadata"])
    kept = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if not k.startswith(_OURS)}
    if kept:
        meta["annotations"] = kept
    if GroupKind.of(whole) == kinds.SECRET:
        whole.pop("data", None)  # a text in its place would be read as base64
        if "stringData" in whole:
            whole["stringData"] = dict.fromkeys(whole["stringData"], HIDDEN)
    return {**whole, "metadata": meta}
