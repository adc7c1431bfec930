"""Explains after a failed teardown which objects are still being deleted, and what they wait for.

A finalizer keeps an object until its controller removes the finalizer. What contains the object has to wait, too: a
definition waits for its custom resources, and a namespace for the objects in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster import client
from cluster.client import Api, Request, ask_all
from cluster.errors import ClusterError
from mesh.analysis.objects import Ref
from mesh.core import kinds, words

Manifest = Mapping[str, Any]

_SHOWN: Final = 10
"""The most objects that are listed for a namespace or definition."""
_REMAINING: Final = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances")
"""The text of a namespace's condition about each resource in it: `configmaps. has 1 resource instances`."""
_REMEDY: Final = "let the owner of a finalizer finish, or remove the finalizer; then run `make down` again"


def explain(state: Mapping[str, Any], api: Api) -> None:
    """Prints the objects of a stack's state that are being deleted, with what each waits for."""
    waiting = list(being_deleted(state, api))
    for there in waiting:
        for line in _lines(there, api):
            print(line)
    if waiting:
        print(f"  {_REMEDY}")


def being_deleted(state: Mapping[str, Any], api: Api) -> Iterator[Manifest]:
    """The objects of a state that are being deleted, namespaces and definitions first."""
    recorded = [r["inputs"] for r in state.get("resources") or [] if kinds.of_inputs(r.get("inputs") or {})]
    whole = [one for one in recorded if "name" in one["metadata"]]
    versions = sorted({one["apiVersion"] for one in whole})
    roots = [f"/apis/{version}" if "/" in version else f"/api/{version}" for version in versions]
    served = {
        (version, kind["kind"]): f"{root}/{{}}{kind['name']}"
        for version, root, answer in zip(versions, roots, ask_all(api, _gets(roots)), strict=True)
        for kind in (answer.body.get("resources") or [] if answer.ok else [])
        if "/" not in kind["name"]
    }
    first = (kinds.NAMESPACE, kinds.CUSTOM_RESOURCE_DEFINITION)
    found = {Ref.of(one): one for one in whole if (one["apiVersion"], one["kind"]) in served}
    ordered = sorted(found, key=lambda ref: (first.index(ref.kind) if ref.kind in first else len(first), ref))
    paths = [_path(served[found[ref]["apiVersion"], found[ref]["kind"]], ref) for ref in ordered]
    for ref, answer in zip(ordered, ask_all(api, _gets(paths)), strict=True):
        if answer.ok and "deletionTimestamp" in (answer.body.get("metadata") or {}):
            yield {"apiVersion": found[ref]["apiVersion"], "kind": found[ref]["kind"], **answer.body}


def _gets(paths: Sequence[str]) -> list[Request]:
    return [Request("GET", path) for path in paths]


def _path(collection: str, ref: Ref) -> str:
    return f"{collection.format(f'namespaces/{ref.namespace}/' if ref.namespace else '')}/{ref.name}"


def _lines(there: Manifest, api: Api) -> Iterator[str]:
    ref = Ref.of(there)
    status = there.get("status") or {}
    reasons = [c["message"] for c in status.get("conditions") or [] if c["status"] == "True" and c.get("message")]
    if ref.kind == kinds.NAMESPACE:
        what, held = f"namespace {ref.name}", list(_in_namespace(ref.name, reasons, api))
    elif ref.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
        what, held = f"definition {ref.name}", list(_held(_collection(there), api))
    else:
        what, held, reasons = str(ref), [], [_finalizers(there)]
    yield f"{what} is being deleted, and waits: {'; '.join(reasons) or _finalizers(there)}"
    yield from (f"  for {text}" for text in held[:_SHOWN])
    if len(held) > _SHOWN:
        yield f"  and for {words.count(len(held) - _SHOWN, 'more object')}"


def _finalizers(there: Manifest) -> str:
    names = there["metadata"].get("finalizers") or ()
    return f"finalizer {', '.join(names)}" if names else "finalizers"


def _collection(definition: Manifest) -> str:
    """The API path of the custom resources of a definition."""
    spec = definition["spec"]
    version = next(v["name"] for v in spec["versions"] if v.get("storage"))
    return f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"


def _in_namespace(namespace: str, reasons: Sequence[str], api: Api) -> Iterator[str]:
    """The objects with a finalizer among the resources that a namespace's conditions name."""
    for plural, group in dict.fromkeys(_REMAINING.findall(" ".join(reasons))):
        root = "/api/v1"
        if group:
            try:
                root = f"/apis/{client.get(api, f'/apis/{group}')['preferredVersion']['groupVersion']}"
            except (ClusterError, KeyError):
                continue
        yield from _held(f"{root}/namespaces/{namespace}/{plural}", api)


def _held(collection: str, api: Api) -> Iterator[str]:
    """The objects of a collection with a finalizer."""
    try:
        listed = client.get(api, collection)
    except ClusterError:
        return
    kind = str(listed.get("kind", "")).removesuffix("List") or collection.rpartition("/")[2]
    for item in listed.get("items") or []:
        meta = item["metadata"]
        if meta.get("finalizers"):
            yield f"{kind} {'/'.join(filter(None, (meta.get('namespace'), meta['name'])))}, {_finalizers(item)}"
