"""Makes a stack's field manager the only manager of the fields that the stack applies; for `make adopt`.

After a server-side apply, another manager may still own a field with the same value, and the next change of the field
would be a conflict. Therefore the fields are removed from the other managers' entries in `managedFields`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from cluster.client import APPLY, Answer, Api, Request, ask_all
from commands.parity.normal import Manifest
from commands.stackfiles import CommandError

MERGE: Final = "application/merge-patch+json"
_SHOWN: Final = 5
"""The most rejected objects that a message lists."""
_TRIES: Final = 5
"""Attempts to change `managedFields` of an object that others change at the same time."""
_CONFLICT: Final = 409
_ALONE: Final[Mapping[str, Any]] = {".": {}}
"""`fieldsV1` of an object or list item that is owned without any of its fields."""


def take(api: Api, objects: Mapping[str, Manifest], manager: str) -> None:
    """Applies the objects, given by API path, and removes the fields that they set from all other managers.

    Raises CommandError if the API server rejects one. A dry run comes first, so that usually nothing has changed
    then."""
    for dry in ("&dryRun=All", ""):
        answers = ask_all(api, [_apply(path, body, manager, dry) for path, body in objects.items()])
        _refuse(list(objects.values()), answers, dry)
    for path, answer in zip(objects, answers, strict=True):
        _disown(api, path, answer, manager)


def _apply(path: str, body: Manifest, manager: str, dry: str) -> Request:
    return Request("PATCH", f"{path}?fieldManager={quote(manager)}&force=true{dry}", body, APPLY)


def _refuse(objects: Sequence[Manifest], answers: Sequence[Answer], dry: str) -> None:
    pairs = zip(objects, answers, strict=True)
    refused = [f"{o['kind']} {o['metadata']['name']}: {a.message.splitlines()[0]}" for o, a in pairs if not a.ok]
    if refused:
        more = [f"and {len(refused) - _SHOWN} more"] if len(refused) > _SHOWN else []
        end = "nothing was changed" if dry else "fix this, then run `make adopt` again"
        raise CommandError("\n".join(["the API server refuses to apply", *refused[:_SHOWN], *more, end]))


def _disown(api: Api, path: str, answer: Answer, manager: str) -> None:
    for _ in range(_TRIES):
        meta = answer.body["metadata"]
        left = remaining(meta.get("managedFields") or [], manager)
        if left == meta.get("managedFields"):
            return
        body = {"metadata": {"resourceVersion": meta["resourceVersion"], "managedFields": left}}
        done = api.ask(Request("PATCH", f"{path}?fieldManager={quote(manager)}", body, MERGE))
        if done.ok:
            return
        if done.code != _CONFLICT:
            raise CommandError(f"the fields of {path} cannot be taken over from other field managers: {done.message}")
        answer = api.ask(Request("GET", path))
    raise CommandError(
        f"the fields of {path} cannot be taken over from other field managers: it keeps changing; try again later"
    )


def remaining(managers: Sequence[Mapping[str, Any]], manager: str) -> list[Mapping[str, Any]]:
    """The entries of `managedFields`, without the fields that `manager` applies in all entries but its own."""
    own: Mapping[str, Any] = next((m["fieldsV1"] for m in managers if _applies(m, manager)), {})
    result: list[Mapping[str, Any]] = []
    for entry in managers:
        if _applies(entry, manager) or entry.get("subresource"):
            result.append(entry)
        elif fields := _without(entry["fieldsV1"], own):
            result.append({**entry, "fieldsV1": fields})
    return result


def _applies(entry: Mapping[str, Any], manager: str) -> bool:
    return (entry["manager"], entry["operation"], entry.get("subresource", "")) == (manager, "Apply", "")


def _without(fields: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `fields` that is not in `own`; both are trees in the format of `fieldsV1`."""
    result = {}
    for name, inner in fields.items():
        if name not in own:
            result[name] = inner
        elif own[name] and (rest := _without(inner, own[name])) and rest != _ALONE:
            result[name] = rest
    return result
