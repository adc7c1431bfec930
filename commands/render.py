"""The objects of a stack as YAML files: the program itself, run against a recorder instead of an engine."""

from __future__ import annotations

import os
import runpy
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from cluster.target import OFFLINE
from commands import engine, stackfiles
from commands.stackfiles import PROJECT, ROOT
from engine import recorder
from engine.recorder import Resource
from mesh.config import loading
from mesh.config.stack_file import SECRET
from mesh.core import names

FIRST: Final = "1-namespaces-and-definitions"
THEN: Final = "2-objects"
"""The folders, in the order in which they are to be applied."""

_OURS: Final = ("pulumi.com/", names.OWNER_PROJECT.split("/")[0] + "/")
"""Prefixes of annotations that only mean something to Pulumi and to a stack."""


def record(stack: str, config: Mapping[str, str] | None = None) -> list[Resource]:
    """What `__main__.py` registers for the stack, or for another config; no cluster is asked. Raises SettingsError."""
    chosen = dict(stackfiles.config(stack) if config is None else config)
    loading.load(chosen)
    with offline():
        return recorder.registered(_program, PROJECT, stack, chosen)


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
    for manifest in manifests(record(stack)):
        folder = FIRST if manifest["kind"] in ("Namespace", "CustomResourceDefinition") else THEN
        meta = manifest["metadata"]
        name = "-".join(filter(None, (manifest["kind"].lower(), meta.get("namespace"), meta["name"])))
        (out / folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest, sort_keys=True, width=120))
        written += 1
    return written


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
    if whole["kind"] == "Secret":
        whole.pop("data", None)  # what could stand there is base64, and would be taken for the value
        if "stringData" in whole:
            whole["stringData"] = dict.fromkeys(whole["stringData"], SECRET)
    return {**whole, "metadata": meta}
