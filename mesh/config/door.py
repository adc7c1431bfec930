"""Prepares a config for validation: brings keys into the usual spelling, and refuses Istio's settings that are no keys
of a stack, with a message about the name that Istio gives them.

Istio's settings are those that `mesh.values.upstream` places, and those that a release refuses
(`mesh.releases.refusals`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, NamedTuple

from mesh import releases
from mesh.api import MeshConfig, spelling
from mesh.config.revisions import ControlPlane
from mesh.config.settings import NAMESPACE
from mesh.core.places import wire_names, written
from mesh.core.typed import Path
from mesh.releases import refusals
from mesh.releases.refusals import Refusal, Refusals
from mesh.values import upstream

_FURTHER: Final = "controlPlanes"
_GATEWAYS: Final = "gateways"
_K8S: Final = "k8s"
_OF_CONTROL_PLANES: Final = frozenset(wire_names(ControlPlane))
_SPECS: Final[Mapping[Path, Path]] = {
    ("spec",): (),
    ("components",): ("components",),
    ("values",): ("values",),
}
"""The keys of an IstioOperator that are no keys of a stack, with their paths in its spec."""


class _Problem(NamedTuple):
    """A key of Istio that is no key of a stack."""

    path: Path
    text: str
    """Why it is refused, or where it belongs."""
    all: Path
    """The refused key as a whole, which may have `path` inside of it."""


def admitted(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The config in the usual spelling and without the refused keys, and the reasons for refusals, one line each."""
    data = deepcopy(dict(raw))
    found = [problem for prefix, plane in _control_planes(data) for problem in _problems(prefix, plane)]
    for path in sorted({problem.all for problem in found}, key=len, reverse=True):  # inner keys before outer ones
        del _at(data, path[:-1])[path[-1]]
    lines = [f"{NAMESPACE}:{written(one.path)}: {one.text}" for one in found]
    for prefix, plane in _control_planes(data):
        for path, name in spelling.respell(MeshConfig, plane.get("meshConfig")):
            key = written((*prefix, "meshConfig", *path))
            lines.append(f"{NAMESPACE}:{key}: {name} is also set, and is the same field: leave one of them out")
    return data, lines


def _control_planes(data: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The keys of each control plane with their path, first those of the stack's own."""
    yield (), {key: value for key, value in data.items() if key != _FURTHER}
    further = data.get(_FURTHER)
    for revision, entry in further.items() if isinstance(further, Mapping) else ():
        if isinstance(entry, Mapping):
            yield (_FURTHER, revision), entry


def _problems(prefix: Path, plane: Mapping[str, Any]) -> Iterator[_Problem]:
    name = plane.get("release")
    table = releases.get(name if name in releases.NAMES else releases.DEFAULT).refusals
    refused = dict(refusals.within(table, plane))
    for path, found in refused.items():
        yield _Problem((*prefix, *path), _told(found, path, prefix), (*prefix, *path))
    for here, path in _misplaced(plane):
        for rest, text in _elsewhere(path, _at(plane, here), table, prefix) if here not in refused else ():
            yield _Problem((*prefix, *here, *rest), text, (*prefix, *here))


def _misplaced(plane: Mapping[str, Any]) -> Iterator[tuple[Path, Path]]:
    """The keys of an IstioOperator in a control plane's keys, each with its path in an IstioOperator's spec."""
    yield from ((here, path) for here, path in _SPECS.items() if here[0] in plane)
    for key, value in plane.items():
        if isinstance(value, Mapping) and _K8S in value:
            yield (key, _K8S), ("components", key, _K8S)
    gateways = plane.get(_GATEWAYS)
    for key, value in gateways.items() if isinstance(gateways, Mapping) else ():
        if isinstance(value, Mapping) and _K8S in value:
            yield (_GATEWAYS, key, _K8S), ("components", "ingressGateways", key, _K8S)


def _elsewhere(path: Path, value: Any, table: Refusals, prefix: Path) -> Iterator[tuple[Path, str]]:
    """Where the parts of the value at a path of Istio belong, each by its path in the value. A step into a list may be
    the name of the element."""
    steps, name = _as_upstream(path)
    parts: Iterable[tuple[str | int, Any]] = ()
    if upstream.has_parts_elsewhere(steps) or not steps:
        parts = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, Mapping) else ()
    for key, part in parts:
        entry = _name(part) if isinstance(key, int) else key
        yield from (((key, *rest), text) for rest, text in _elsewhere((*path, entry), part, table, prefix))
    if not parts and path in _SPECS.values():
        yield (), "its settings have keys of their own here, see docs/values.md"
    elif not parts:
        found = tuple(name if step == upstream.NAME else step for step in upstream.place(steps))
        refused = refusals.find(table, found)
        yield (), _told(refused, found, prefix) if refused else f"it belongs at {_key(found, prefix)}"


def _told(refusal: Refusal, path: Path, prefix: Path) -> str:
    """The message about a refused key of a control plane."""
    remedy = refusal.remedy(path)
    return f"{refusal.why}: write {_key(remedy, prefix)}" if remedy else f"{refusal.why}: leave it out"


def _key(path: Path, prefix: Path) -> str:
    """The path of a key in the config: below the control plane, or at the top if only the stack itself has the key."""
    own = path[0] in _OF_CONTROL_PLANES
    return f"{NAMESPACE}:{written((*prefix, *path) if own else path)}"


def _name(entry: Any) -> str:
    """The name of an element of a list, such as a gateway."""
    found = entry.get("name") if isinstance(entry, Mapping) else None
    return found if isinstance(found, str) else upstream.NAME


def _as_upstream(path: Path) -> tuple[tuple[str, ...], str]:
    """A path in the form that `mesh.values.upstream` takes, and the name of the gateway in it."""
    if path[:1] == ("components",) and len(path) > 2 and path[1] in ("ingressGateways", "egressGateways"):
        return (*map(str, path[:2]), upstream.ENTRY, *map(str, path[3:])), str(path[2])
    return tuple(map(str, path)), upstream.NAME


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data
