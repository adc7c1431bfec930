"""Reads the engine's event log of a preview (`pulumi preview --event-log`): the resources before and after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster.state import type_and_name
from engine import manifests
from engine.secrets import READABLE
from mesh.core import disclosure, kinds
from mesh.core.diff import Path
from mesh.core.secure import HIDDEN

UNKNOWN: Final = "(known after the update)"
"""Stands for a value that is known only after the update."""
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's placeholder for such a value."""
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key of a map that the engine writes for a special value, such as a secret."""
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
"""Value of that key for a secret."""
_STEP: Final = re.compile(r'([^.\[\]]+)|\[(\d+)]|\["((?:[^"\\]|\\.)*)"]')
"""A step of the engine's paths: a key, an index, or a key in quotes."""
Readable = Mapping[tuple[str, Path], Any]
"""Texts and lists without their secrets, by resource (type and name) and path."""
_DELETIONS: Final = ("delete", "delete-replaced", "discard-replaced", "read-discard", "discard")
"""Operations of the engine that end a resource."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource, as registered by a program or recorded in the state."""

    urn: str
    type: str
    name: str
    parent: str
    """URN of the component."""
    inputs: Mapping[str, Any]
    retained: bool = False
    """Whether the object stays on the cluster when the stack deletes the resource (`retainOnDelete`)."""


@dataclass(kw_only=True)
class Preview:
    """The resources of a preview before and after the update."""

    recorded: list[Resource] = field(default_factory=list)
    """The resources in the state."""
    old: list[Resource] = field(default_factory=list)
    """The current resources: `recorded`, with the changes that a refresh found on the cluster."""
    new: list[Resource] = field(default_factory=list)
    """The resources after the update."""
    replaced: set[str] = field(default_factory=set)
    """URNs of the resources that would be replaced."""
    secrets: dict[str, Sequence[str]] = field(default_factory=dict)
    """Paths of the values that change in Secrets, by URN."""
    errors: list[str] = field(default_factory=list)


def read(events: Iterable[Mapping[str, Any]]) -> Preview:
    """The preview that the engine's events describe. The events must be in their original order."""
    found, refreshing = Preview(), set[str]()
    recorded: dict[str, Any] = {}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for event in events:
        if said := event.get("diagnosticEvent"):
            if said["severity"] == "error":
                found.errors.append(" ".join(said["message"].split()))
            continue
        step = (event.get("resourcePreEvent") or event.get("resOutputsEvent") or {}).get("metadata")
        if not step:
            continue
        urn, outcome = step["urn"], "resOutputsEvent" in event
        if step["op"] == "refresh" and not outcome:
            refreshing.add(urn)
            recorded[urn] = before[urn] = step["old"]
        elif outcome and urn in refreshing:
            refreshing.discard(urn)
            before[urn] = step["new"]
        elif outcome and step["type"] == READABLE:
            after[urn] = step["new"]
        elif not outcome:
            _step(step, found, before, after)
    was, now = _readable(before), _readable(after)
    found.recorded = [_resource(state, was) for state in (recorded or before).values() if state]
    found.old = [_resource(state, was) for state in before.values() if state]
    found.new = [_resource(state, now) for state in after.values() if state]
    return found


def _readable(states: Mapping[str, Any]) -> Readable:
    """What the program recorded (`engine.secrets.Readable`) of texts and lists that the engine hides."""
    recorded = [state for state in states.values() if state and state["type"] == READABLE]
    parts = [part for state in recorded for part in (state.get("outputs") or {}).get("parts", ())]
    return {(part["resource"], tuple(part["path"])): part["value"] for part in parts}


def _step(step: Mapping[str, Any], found: Preview, before: dict[str, Any], after: dict[str, Any]) -> None:
    urn, op = step["urn"], step["op"]
    if op in _DELETIONS:
        if op == "delete":
            before.setdefault(urn, step["old"])
        return
    if step["old"]:
        before.setdefault(urn, step["old"])
    after[urn] = step["new"]
    if op in ("replace", "create-replacement"):
        found.replaced.add(urn)
    if paths := [path for path in step["detailedDiff"] or () if _is_secret(step, path)]:
        found.secrets[urn] = sorted(paths)


def _is_secret(step: Mapping[str, Any], path: str) -> bool:
    """Whether both sides have a secret at a path that differs."""
    if manifests.kind_of(step["type"]) == kinds.SECRET:
        return path.startswith(("data", "stringData"))
    return all(_is_hidden_at(step[side]["inputs"], path) for side in ("old", "new") if step[side])


def _is_hidden_at(value: Any, path: str) -> bool:
    """Whether a secret stands at or around a path as the engine writes it, such as
    `spec.containers[0].env[1].value`."""
    value = _plain(value)
    for key, index, quoted in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[quoted or key]
        except (KeyError, IndexError, TypeError):
            return False
        if value == HIDDEN:
            return True
    return False


def _resource(state: Mapping[str, Any], readable: Readable) -> Resource:
    kind, name = type_and_name(state["urn"])
    inputs = _plain(state["inputs"] or {})
    return Resource(
        urn=state["urn"],
        type=kind,
        name=name,
        parent=state["parent"],
        inputs=_completed(
            inputs, {path: part for (key, path), part in readable.items() if key == f"{kind}::{name}"}, ()
        ),
        retained=bool(state.get("retainOnDelete")),
    )


def _plain(value: Any) -> Any:
    """A value of the event log as plain data, with texts in place of secrets and of unknown values."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return HIDDEN if value[_SIGNATURE] == _SECRET else _plain(value.get("value", UNKNOWN))
        return {key: _plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return UNKNOWN if value == _UNKNOWN else value


def _completed(value: Any, parts: Mapping[Path, Any], path: Path) -> Any:
    """The value with the recorded parts in place of the secrets at their paths."""
    if not parts:
        return value
    if isinstance(value, Mapping):
        return {key: _completed(item, parts, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_completed(item, parts, (*path, disclosure.step(item, i))) for i, item in enumerate(value)]
    return parts.get(path, value) if value == HIDDEN else value
