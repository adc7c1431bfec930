"""Objects that a killed run was creating, changing or deleting. Pulumi's state has the pending operations, and what it
recorded before them; the cluster shows how far they came.

A teardown writes no pending operations: it deletes without writing the state in between, which takes half of its time
otherwise. Before it begins, `expect_deletion` records that all objects are being deleted."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cluster import proxy
from cluster.client import APPLY, Api, Request
from cluster.errors import ClusterError, Unreachable
from cluster.state import is_being_deleted
from cluster.target import Target
from commands import finalizers, imports
from commands.imports import Resource
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from mesh.analysis.objects import Ref
from mesh.config.settings import Settings
from mesh.core import names

_CUT: Final = "a run was interrupted while it was changing this object"
_INTERVAL: Final = 0.5
"""Seconds between two looks at objects that are being deleted."""


def carry_on(pulumi: PulumiCli, settings: Settings) -> bool:
    """Prepares an update after a killed run, and prints what it will apply anew; whether the state still has pending
    creations, which `settle` clears.

    The update applies what was being created again with the same field manager, whether it exists or not. Objects that
    were being changed or deleted may be in the state as they were, so that an update would find nothing to do for them
    if the program wants them so: the former are marked in the state, the latter dropped from it when they are gone, for
    which this waits. Raises CommandError if an import was interrupted."""
    state = pulumi.state()
    imports.check(pulumi.stack, state)
    if deleting := [*_deleted(state)]:
        pulumi.unlock()
        _await_deletion(deleting, Target.named(settings.context), settings.timeout)
        _refresh(pulumi, _urns(deleting))
        left = urns(pulumi.state())
        count = sum(one["urn"] not in left for one in deleting)
        print(
            f"of the objects that a killed run was deleting, {count} are gone and now dropped from the state",
            flush=True,
        )
    if changing := being_changed(state):
        if _was_cut(state):  # Pulumi drops pending operations from a state that it is given
            settle(pulumi, Target.named(settings.context))
        mark(pulumi, changing)
        print(
            f"an earlier run was interrupted while it was changing {len(changing)} objects: they are applied again",
            flush=True,
        )
    elif count := len(list(unfinished(state))):
        print(
            f"an earlier run was interrupted while it was creating {count} objects: they are applied again", flush=True
        )
    return _was_cut(state) and not changing


def expect_deletion(pulumi: PulumiCli, state: Mapping[str, Any]) -> None:
    """Records for all objects of a state that they are being deleted.

    A refresh, by this project or by a bare `pulumi refresh`, replaces that by what the cluster has, and the program
    refuses to run before (`StackState.being_deleted`). The deletions that follow need not be recorded one by one."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    pulumi.replace_state({**state, "resources": [_being_deleted(one, now) for one in state.get("resources") or []]})


def _being_deleted(resource: Resource, since: str) -> Resource:
    if not _is_object(resource):
        return resource
    outputs = resource.get("outputs") or {}
    metadata = {**outputs.get("metadata", {}), "deletionTimestamp": since}
    return {**resource, "outputs": {**outputs, "metadata": metadata}}


def record_what_stays(pulumi: PulumiCli) -> None:
    """Refreshes the objects that are still recorded as being deleted, after a teardown that left some."""
    if stays := [*_deleted(pulumi.state())]:
        _refresh(pulumi, _urns(stays))


def being_changed(state: Mapping[str, Any]) -> frozenset[str]:
    """The URNs of the recorded Kubernetes objects that a killed run was changing."""
    return frozenset(resource["urn"] for resource in _recorded(state, "updating"))


def mark(pulumi: PulumiCli, urns: Collection[str]) -> None:
    """Marks recorded objects as not finished, for which Pulumi has initialization errors: the next update applies them
    even if their inputs are the recorded ones, and so takes back what a killed run has added."""
    if urns:
        state = pulumi.state()
        resources = [
            {**r, "initErrors": [_CUT]} if r["urn"] in urns and not r.get("delete") else r for r in state["resources"]
        ]
        pulumi.replace_state({**state, "resources": resources})


def _deleted(state: Mapping[str, Any]) -> Iterator[Resource]:
    """The recorded objects that a run was deleting, or that were being deleted when they were last recorded."""
    pending = _urns(_recorded(state, "deleting"))
    for resource in state.get("resources") or []:
        if _is_object(resource) and (resource["urn"] in pending or is_being_deleted(resource.get("outputs") or {})):
            yield resource


def urns(state: Mapping[str, Any]) -> set[str]:
    """The URNs of all resources of a state."""
    return _urns(state.get("resources") or [])


def _urns(resources: Iterable[Resource]) -> set[str]:
    return {resource["urn"] for resource in resources}


def _is_object(resource: Resource) -> bool:
    """Whether a resource of a state is a Kubernetes object, or a part of one, that is not replaced already."""
    return "kind" in resource.get("inputs", {}) and not resource.get("delete")


def _recorded(state: Mapping[str, Any], kind: str) -> Iterator[Resource]:
    """The recorded Kubernetes objects with a pending operation of this kind."""
    pending = {one["resource"]["urn"] for one in state.get("pending_operations") or [] if one["type"] == kind}
    for resource in state.get("resources") or []:
        if resource["urn"] in pending and _is_object(resource):
            yield resource


def _await_deletion(resources: Iterable[Resource], at: Target, limit: int) -> None:
    """Waits up to `limit` seconds until none of the objects is being deleted any more. Raises CommandError."""
    state, deadline = {"resources": [*resources]}, time.monotonic() + limit
    with proxy.connect(at) as api:
        while waiting := [*finalizers.being_deleted(state, api)]:
            if time.monotonic() > deadline:
                finalizers.explain(state, api)
                raise CommandError(
                    f"an earlier run was interrupted while it was deleting {Ref.of(waiting[0])}:"
                    f" after {limit} s the API server still has it"
                )
            time.sleep(_INTERVAL)


def _refresh(pulumi: PulumiCli, wanted: Iterable[str], *flags: str) -> None:
    """Refreshes the resources with these URNs alone."""
    targets = [text for urn in sorted(wanted) for text in ("--target", urn)]
    pulumi.run("refresh", *flags, *targets, "--skip-preview", "--yes", quiet=True)


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
    _refresh(pulumi, [stack], "--clear-pending-creates")
    print(
        f"of the objects that a killed run was creating, {len(whole)} are on the cluster and now in the state",
        flush=True,
    )
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
    known = urns(state)
    for operation in state.get("pending_operations") or []:
        resource = operation["resource"]
        if operation["type"] == "creating" and resource["urn"] not in known and "kind" in resource.get("inputs", {}):
            known.add(resource["urn"])
            yield resource


def _exists(at: Target, manifest: Mapping[str, Any]) -> bool:
    try:
        return bool(at.kubectl("get", *_address(manifest), "--ignore-not-found", "--output=name"))
    except Unreachable as error:
        if "the server doesn't have a resource type" in str(error):
            return False  # the definition of its kind is not there either
        raise
    except ClusterError as error:
        raise CommandError(str(error)) from None


def _address(manifest: Mapping[str, Any]) -> list[str]:
    """The arguments of kubectl that name an object, or that of which a `…Patch` is a part."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    kind = f"{manifest['kind'].removesuffix('Patch')}.{version}.{group}"
    meta = manifest["metadata"]
    return [kind, meta["name"], *(["--namespace", meta["namespace"]] if meta.get("namespace") else [])]
