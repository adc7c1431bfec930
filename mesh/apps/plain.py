"""`mesh:objects`: plain Kubernetes objects, in files of the project or in the config itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from mesh import manifests
from mesh.core.errors import show
from mesh.core.secure import is_placeholder
from mesh.manifests import Manifest, ManifestError, missing

KEY: Final = "mesh:objects"
"""The config key."""


def _file_or_object(value: Any) -> Any:
    if not isinstance(value, str | Mapping):
        raise ValueError(f"{show(value)} is neither the path of a file nor an object")
    return value


Entry = Annotated[str | dict[str, Any], BeforeValidator(_file_or_object)]
"""A file or folder of the project, or an object."""


def read(entries: Sequence[str | Mapping[str, Any]], root: Path) -> tuple[list[Manifest], list[str]]:
    """The objects of the entries, each a file or folder below `root`, or an object; and the problems, each with file
    and line or the key of the config."""
    found: list[Manifest] = []
    problems: list[str] = []
    for i, entry in enumerate(entries):
        if isinstance(entry, str):
            try:
                found += manifests.read([entry], root, key=f"{KEY}[{i}]")
            except ManifestError as error:
                problems += str(error).splitlines()
        else:
            found += _objects(entry, f"{KEY}[{i}]", problems)
    return found, problems


def _objects(body: Any, key: str, problems: list[str]) -> Iterator[Manifest]:
    """The object of a key of the config; a List's are its items."""
    if not isinstance(body, Mapping):
        problems.append(f"{key}: {show(body)} is not an object")
        return
    if str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), Sequence):
        for i, item in enumerate(body["items"]):
            yield from _objects(item, f"{key}.items[{i}]", problems)
        return
    wrong = [f"{key}: {text}" for text in missing(body)] or list(_encrypted(body, key))
    problems += wrong
    if not wrong:
        yield Manifest(body=body, file=key)


def _encrypted(body: Mapping[str, Any], key: str) -> Iterator[str]:
    """The problems of encrypted values in the object's name, which the program has to read."""
    for place, value in (
        *((name, body[name]) for name in ("apiVersion", "kind")),
        *((f"metadata.{name}", body["metadata"].get(name)) for name in ("name", "namespace")),
    ):
        if is_placeholder(value):
            yield f"{key}.{place}: {value} is encrypted"
