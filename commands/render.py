"""The objects of a stack as YAML files: the program itself, run against a recorder instead of an engine."""

from __future__ import annotations

import os
import runpy
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from cluster.target import OFFLINE
from commands import engine, stackfiles
from commands.stackfiles import PROJECT, ROOT
from engine import program, recorder
from engine.recorder import Resource
from mesh.analysis.objects import Ref
from mesh.config import loading
from mesh.config.stack import Stack
from mesh.config.stack_file import SECRET
from mesh.core import kinds, names
from mesh.core.kinds import GroupKind

FIRST: Final = "1-namespaces-and-definitions"
THEN: Final = "2-objects"
"""The folders, in the order in which they are to be applied."""

_OURS: Final = ("pulumi.com/", names.OWNER_PROJECT.split("/")[0] + "/")
"""Prefixes of annotations that only mean something to Pulumi and to a stack."""


def record(name: str, config: Mapping[str, str] | None = None, stack: Stack | None = None) -> list[Resource]:
    """What `__main__.py` registers for the stack of a name, or for another config; no cluster is asked. `stack`: the
    config compiled, where the caller has that already. Raises SettingsError."""
    chosen = stackfiles.config(name) if config is None else config
    with program.using_stack(stack or loading.load(chosen, os.environ.get("CONTEXT") or None)), offline():
        return recorder.registered(_program, PROJECT, name, chosen)


@contextmanager
def offline() -> Iterator[None]:
    """The program that is run within asks no cluster."""
    chosen = {OFFLINE: "1", **engine.embedded()}
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def render(stack: str, out: Path) -> int:
    """Writes one file for each object of the stack below `out`; the number of files. Values of Secrets are left out."""
    written = 0
    for folder in (FIRST, THEN):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
    for name, manifest in files(list(manifests(record(stack)))).items():
        folder = FIRST if GroupKind.of(manifest) in (kinds.NAMESPACE, kinds.CUSTOM_RESOURCE_DEFINITION) else THEN
        (out / folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest, sort_keys=True, width=120))
        written += 1
    return written


def files(objects: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The objects by the names of their files, without an ending: kind, namespace and name. Where several would have
    the same, with the kind's group, and with `_` between the parts."""
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
    """The object that a resource's inputs say, without what only Pulumi needs, and without the values of a Secret."""
    whole = dict(inputs)
    meta = dict(whole["metadata"])
    kept = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if not k.startswith(_OURS)}
    if kept:
        meta["annotations"] = kept
    if GroupKind.of(whole) == kinds.SECRET:
        whole.pop("data", None)  # what could stand there is base64, and would be taken for the value
        if "stringData" in whole:
            whole["stringData"] = dict.fromkeys(whole["stringData"], SECRET)
    return {**whole, "metadata": meta}
