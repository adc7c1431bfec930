"""Objects that a killed update was creating: Pulumi knows that it began, not how it ended. The cluster does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster import proxy
from cluster.client import APPLY, Api, Request
from cluster.errors import ClusterError, Unreachable
from cluster.target import Target
from commands import imports
from commands.engine import Engine
from commands.imports import Resource
from commands.stackfiles import CommandError
from mesh.core import names


def announce(engine: Engine) -> bool:
    """Whether an update was cut off while it was creating something, and says so: an update applies anew what it was
    creating, as the same field manager, whether it is there or not. CommandError if an import was cut off."""
    state = engine.state()
    imports.check(engine.stack, state)
    if count := len(list(unfinished(state))):
        print(f"an earlier run was cut off while it was creating {count} objects: they are applied anew", flush=True)
    return _was_cut(state)


def settle(engine: Engine, at: Target) -> int:
    """Brings the state in line with the cluster: what was being created and is there is imported, the rest dropped.

    Returns how many objects were imported. CommandError if Pulumi cannot do it."""
    state = engine.state()
    if not _was_cut(state):
        return 0
    there = [resource for resource in unfinished(state) if _exists(at, resource["inputs"])]
    whole = [resource for resource in there if not _is_patch(resource)]
    if whole:
        imports.run(engine, whole)
    if patches := [resource for resource in there if _is_patch(resource)]:
        with proxy.connect(at) as answers:
            for resource in patches:
                _let_go(answers, resource["inputs"])
    stack = next(r["urn"] for r in state["resources"] if r["type"] == "pulumi:pulumi:Stack")
    # Nothing but the stack itself is refreshed: only the list of operations is to change.
    flags = ("--clear-pending-creates", "--target", stack, "--skip-preview", "--yes")
    engine.run("refresh", *flags, quiet=True)
    print(f"of what a killed run was creating, {len(whole)} objects are on the cluster and now recorded", flush=True)
    return len(whole)


def _is_patch(resource: Resource) -> bool:
    return str(resource["type"]).endswith("Patch")


def _let_go(answers: Api, patch: Resource) -> None:
    """Takes back the fields that were set in an object of others, here a namespace: Pulumi cannot import those."""
    meta = patch["metadata"]
    bare = {"apiVersion": patch["apiVersion"], "kind": patch["kind"], "metadata": {"name": meta["name"]}}
    path = f"/api/v1/namespaces/{meta['name']}?fieldManager={meta['annotations'][names.FIELD_MANAGER]}"
    done = answers.ask(Request("PATCH", path, bare, APPLY))
    if not done.ok:
        raise CommandError(f"the label of namespace {meta['name']} cannot be taken back: {done.message}")


def _was_cut(state: Mapping[str, Any]) -> bool:
    return any(operation["type"] == "creating" for operation in state.get("pending_operations") or [])


def unfinished(state: Mapping[str, Any]) -> Iterator[Resource]:
    """The Kubernetes objects, each once, whose creation began and is not recorded as done."""
    known = {resource["urn"] for resource in state.get("resources") or []}
    for operation in state.get("pending_operations") or []:
        resource = operation["resource"]
        if operation["type"] == "creating" and resource["urn"] not in known and "kind" in resource.get("inputs", {}):
            known.add(resource["urn"])
            yield resource


def _exists(at: Target, manifest: Mapping[str, Any]) -> bool:
    group, _, version = manifest["apiVersion"].rpartition("/")
    kind = f"{manifest['kind'].removesuffix('Patch')}.{version}.{group}"
    meta = manifest["metadata"]
    where = ["--namespace", meta["namespace"]] if meta.get("namespace") else []
    try:
        return bool(at.kubectl("get", kind, meta["name"], *where, "--ignore-not-found", "--output=name"))
    except Unreachable as error:
        if "the server doesn't have a resource type" in str(error):
            return False  # the definition of its kind is not there either
        raise
    except ClusterError as error:
        raise CommandError(str(error)) from None
