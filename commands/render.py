"""The objects of a stack as YAML files: the program itself, run against a recorder instead of an engine."""

from __future__ import annotations

import os
import runpy
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks

from commands import stackfiles
from commands.stackfiles import PROJECT, ROOT
from engine import program
from mesh.analysis.objects import Ref
from mesh.config import loading
from mesh.config.stack import Stack
from mesh.core import kinds, names
from mesh.core.kinds import GroupKind

FIRST: Final = "1-namespaces-and-definitions"
THEN: Final = "2-objects"
"""The folders, in the order in which they are to be applied."""

_OURS: Final = ("pulumi.com/", names.PROJECT.split("/")[0] + "/")
"""Prefixes of annotations that only mean something to Pulumi and to a stack."""


@dataclass(frozen=True)
class Resource:
    """A resource that the program registered."""

    type: str
    """Pulumi's type token."""
    name: str
    inputs: Mapping[str, Any]
    provider: str | None
    urn: str = ""
    parent: str = ""
    """URN of the parent."""
    depends_on: frozenset[str] = frozenset()
    """URNs of what is created before it: named dependencies, and those whose outputs it uses."""


@dataclass
class Recorder(mocks.Mocks):
    """Takes every registration, and answers as an empty cluster would."""

    resources: list[Resource] = field(default_factory=list)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.resources.append(Resource(args.typ, args.name, _whole(args.inputs), args.provider))
        return f"{args.name}-id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:  # noqa: ARG002
        return {}, []


class Monitor(mocks.MockMonitor):
    """Pulumi's stand-in for the engine, with an eye for the graph."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._resources = recorder.resources

    def RegisterResource(self, request: Any) -> Any:
        before = len(self._resources)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        for place, resource in enumerate(self._resources[before:], before):
            if (resource.type, resource.name, resource.urn) == (request.type, request.name, ""):
                used = frozenset(request.dependencies)
                self._resources[place] = replace(resource, urn=response.urn, parent=request.parent, depends_on=used)
        return response


def record(name: str, config: Mapping[str, str] | None = None, stack: Stack | None = None) -> list[Resource]:
    """What `__main__.py` registers for the stack of a name, or for another config; no cluster is asked. `stack`: the
    config compiled, where the caller has that already. Raises SettingsError."""
    chosen = stackfiles.config(name) if config is None else config
    with program.given(stack or loading.load(chosen, os.environ.get("CONTEXT") or None)):
        return registered(_program, name, chosen)


def registered(run: Callable[[], None], name: str, config: Mapping[str, str]) -> list[Resource]:
    """What a program registers for a stack of this name and with this config; no cluster is asked."""
    recorder = Recorder()
    with offline():
        mocks.set_mocks(recorder, project=PROJECT, stack=name, preview=True, monitor=Monitor(recorder))
        pulumi_config.set_all_config(dict(config))
        pulumi.runtime.test(run)()  # type: ignore[no-untyped-call]
    return recorder.resources


@contextmanager
def offline() -> Iterator[None]:
    """The program asks no cluster."""
    before = os.environ.get("MESH_OFFLINE")
    os.environ["MESH_OFFLINE"] = "1"
    try:
        yield
    finally:
        os.environ.pop("MESH_OFFLINE") if before is None else os.environ.update(MESH_OFFLINE=before)


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def render(stack: str, out: Path) -> int:
    """Writes one file for each object of the stack below `out`; the number of files. Values of Secrets are left out."""
    written = 0
    for folder in (FIRST, THEN):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
    for name, manifest in files(list(manifests(record(stack)))).items():
        folder = FIRST if GroupKind.of(manifest) in (kinds.NAMESPACE, kinds.DEFINITION) else THEN
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
            whole["stringData"] = dict.fromkeys(whole["stringData"], stackfiles.SECRET)
    return {**whole, "metadata": meta}


def _whole(value: Any) -> Any:
    """Numbers as they were: protocol buffers' structs know only floating point."""
    if isinstance(value, Mapping):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
