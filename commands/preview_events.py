"""Reads the engine's event log of a preview (`pulumi preview --event-log`): the resources before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster.state import type_and_name
from engine import manifests
from mesh.config.stack_file import SECRET
from mesh.core import kinds

UNKNOWN: Final = "(known after the update)"
"""Text for a value that is only known after the update."""
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's placeholder for such a value."""
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key of a map that the engine writes for a special value, such as a secret."""
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
"""Value of that key for a secret."""
_DELETIONS: Final = ("delete", "delete-replaced", "discard-replaced", "read-discard", "discard")
"""Operations of the engine that end a resource."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a program registered it, or as it was recorded."""

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
    """As the state has them."""
    old: list[Resource] = field(default_factory=list)
    """As they are: `recorded`, with the changes that a refresh found on the cluster."""
    new: list[Resource] = field(default_factory=list)
    """As the update would leave them."""
    replaced: set[str] = field(default_factory=set)
    """URNs of the resources that would be replaced."""
    secrets: dict[str, Sequence[str]] = field(default_factory=dict)
    """Paths of the values that change in Secrets, by URN."""
    errors: list[str] = field(default_factory=list)


def read(events: Iterable[Mapping[str, Any]]) -> Preview:
    """The preview that the engine's events, in their order, describe."""
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
        elif not outcome:
            _step(step, found, before, after)
    found.recorded = [_resource(state) for state in (recorded or before).values() if state]
    found.old = [_resource(state) for state in before.values() if state]
    found.new = [_resource(state) for state in after.values() if state]
    return found


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
    paths = [path for path in step["detailedDiff"] or () if path.startswith(("data", "stringData"))]
    if manifests.kind_of(step["type"]) == kinds.SECRET and paths:
        found.secrets[urn] = sorted(paths)


def _resource(state: Mapping[str, Any]) -> Resource:
    kind, name = type_and_name(state["urn"])
    return Resource(
        urn=state["urn"],
        type=kind,
        name=name,
        parent=state["parent"],
        inputs=_plain(state["inputs"] or {}),
        retained=bool(state.get("retainOnDelete")),
    )


def _plain(value: Any) -> Any:
    """A value of the event log as plain data, with texts in place of secrets and of unknown values."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return SECRET if value[_SIGNATURE] == _SECRET else _plain(value.get("value", UNKNOWN))
        return {key: _plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return UNKNOWN if value == _UNKNOWN else value
