"""Objects that a killed update was creating. Pulumi's state only has the pending operation; the cluster shows whether
the object was created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster import proxy
from cluster.client import APPLY, Api, Request
from cluster.errors import ClusterError, Unreachable
from cluster.target import Target
from commands import imports
from commands.imports import Resource
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from mesh.core import names


def announce(pulumi: PulumiCli) -> bool:
    """Whether an update was interrupted while it was creating objects; prints their number.

    The next update applies them again with the same field manager, whether they exist or not. Raises CommandError if
    an import was interrupted."""
    state = pulumi.state()
    imports.check(pulumi.stack, state)
    if count := len(list(unfinished(state))):
        print(f"an earlier run was cut off while it was creating {count} objects: they are applied anew", flush=True)
    return _was_cut(state)


def settle(pulumi: PulumiCli, at: Target) -> int:
    """Clears the state's pending creations: objects that exist on the cluster are imported, the others are dropped.

    Returns the number of imported objects. Raises CommandError if Pulumi fails."""
    state = pulumi.state()
    if not _was_cut(state):
        return 0
    there = [resource for resource in unfinished(state) if _exists(at, resource["inputs"])]
    whole = [resource for resource in there if not _is_patch(resource)]
    if whole:
        imports.run(pulumi, whole)
    if patches := [resource for resource in there if _is_patch(resource)]:
        with proxy.connect(at) as api:
            for resource in patches:
                _release_fields(api, resource["inputs"])
    stack = next(r["urn"] for r in state["resources"] if r["type"] == "pulumi:pulumi:Stack")
    # Nothing but the stack itself is refreshed: only the list of operations is to change.
    flags = ("--clear-pending-creates", "--target", stack, "--skip-preview", "--yes")
    pulumi.run("refresh", *flags, quiet=True)
    print(f"of what a killed run was creating, {len(whole)} objects are on the cluster and now recorded", flush=True)
    return len(whole)


def _is_patch(resource: Resource) -> bool:
    return str(resource["type"]).endswith("Patch")


def _release_fields(api: Api, patch: Resource) -> None:
    """Removes the label that a patch has set on somebody else's namespace: Pulumi cannot import a patch."""
    meta = patch["metadata"]
    bare = {"apiVersion": patch["apiVersion"], "kind": patch["kind"], "metadata": {"name": meta["name"]}}
    path = f"/api/v1/namespaces/{meta['name']}?fieldManager={meta['annotations'][names.FIELD_MANAGER]}"
    done = api.ask(Request("PATCH", path, bare, APPLY))
    if not done.ok:
        raise CommandError(f"the label of namespace {meta['name']} cannot be taken back: {done.message}")


def _was_cut(state: Mapping[str, Any]) -> bool:
    return any(operation["type"] == "creating" for operation in state.get("pending_operations") or [])


def unfinished(state: Mapping[str, Any]) -> Iterator[Resource]:
    """The Kubernetes objects with a pending creation and no recorded resource, each once."""
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
