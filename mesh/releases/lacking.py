"""Messages about parts of config and of objects that a release does not have or refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from mesh import releases
from mesh.api import Kind
from mesh.api.model import Message, Metadata, wire
from mesh.api.refusals import refusals
from mesh.core.errors import show
from mesh.core.lacking import Lacks, Part
from mesh.core.typed import Findings


def of_config(release: str, model: type[BaseModel], data: Mapping[str, Any]) -> Findings:
    """The keys and values of a config, as users write it, that the release `release` does not have."""
    for part in _lacks(release).parts(model, data):
        later = [
            name for name in releases.having(part.name) if releases.NAMES.index(name) > releases.NAMES.index(release)
        ]
        remedy = "choose another" if part.value else "leave it out"
        switch = f', or set mesh:release to "{later[-1]}"' if later else ""
        yield part.path, f"{_lacking(part, release, 'setting')}: {remedy}{switch}"


def of_mesh_config(release: str, model: type[Message], data: Mapping[str, Any]) -> Findings:
    """The fields and values of a MeshConfig, or of a part of it, that the release does not have."""
    for part in _lacks(release).parts(model, data):
        yield part.path, _lacking(part, release, "field")


def refused_mesh_config(release: str, config: Message) -> Findings:
    """The problems that istiod of the release finds in a MeshConfig, in addition to those of the types."""
    yield from refusals(config, replace(releases.get(release).api, enforced=False))  # no definition has its types


def of_object(release: str, message: Message) -> Findings:
    """The fields and values of a message of Istio's API that the release does not have or refuses."""
    versions = releases.get(release).api
    parts = list(_lacks(release).parts(type(message), wire(message)))
    yield from ((part.path, _lacking(part, release, "field")) for part in parts)
    if not parts:
        yield from refusals(message, versions)


def of_whole(release: str, body: Kind, metadata: Metadata) -> Findings:
    """The findings of `of_object` and `of_metadata`."""
    yield from of_object(release, body)
    yield from of_metadata(release, body, metadata)


def of_metadata(release: str, body: Kind, metadata: Metadata) -> Findings:
    """The problems of an object's name, namespace, labels and annotations in the release; paths are those in the
    object."""
    if problem := body.name_problem(metadata.name):
        yield ("metadata", "name"), f"{show(metadata.name)} {problem}"
    for kind, check in releases.get(release).api.misplaced.items():
        if isinstance(body, kind):
            yield from check(body, metadata)


def of_kind(release: str, kind: type[Kind], version: str = "") -> str:
    """Why objects of a kind cannot be in the release at all, or not in this version of the kind's group; empty if they
    can."""
    served = releases.get(release).api.of(kind)
    if not served:
        others = tuple(name for name in releases.NAMES if releases.get(name).api.of(kind))
        return f"Istio {release} has no kind {kind.__name__}{_elsewhere(others)}"
    if version and version not in served:
        choices = " or ".join(f"{kind.names.group}/{one}" for one in served)
        return f"Istio {release} does not serve {kind.names.group}/{version} of {kind.__name__}: write {choices}"
    return ""


@cache
def _lacks(release: str) -> Lacks:
    return Lacks(releases.lacks(release))


def _lacking(part: Part, release: str, noun: str) -> str:
    where = f"no such {noun}" if part.value is None else f"no value {show(part.value)} here"
    return f"Istio {release} has {where}{_elsewhere(releases.having(part.name))}"


def _elsewhere(names: tuple[str, ...]) -> str:
    return f"; {', '.join(names)} {'has' if len(names) == 1 else 'have'} it" if names else ""
