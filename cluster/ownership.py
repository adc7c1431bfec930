"""Decides whether a stack may be applied to a cluster, by the owners of the mesh and the namespaces there.

Annotations on each namespace and definition that a stack creates name the owner: project, stack, and an id from the
stack's state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cluster.state import StackState
from cluster.survey import Blocking, Survey
from mesh.core.names import OWNER_ID, OWNER_PROJECT, OWNER_STACK
from mesh.releases.release import Release

_BESIDE: Final = (
    "install this stack beside it: `mesh:base: {enabled: false}`, with a `mesh:revision` that is not on the cluster yet"
)
_WAYS_OUT: Final = (
    f"`make adopt` takes it over (docs/adoption.md). Or remove it first, name another cluster, or {_BESIDE}"
)


def problems(
    found: Survey,
    recorded: StackState,
    releases: Sequence[Release],
    project: str,
    stack: str,
    namespace: str,
    namespaces: Mapping[str, str],
    adopt: bool = False,
) -> Iterator[str]:
    """The reasons why a stack must not be applied to the cluster; none if it may.

    `namespace` is Istio's own; `namespaces` are the other namespaces of the stack, each `create` or `existing`. With
    `adopt`, the stack may take over objects without an owner."""
    cluster = f"{found.target.context} ({found.target.server})"
    if unusable := list(_cluster_problems(found, recorded, releases, stack, cluster)):
        yield from unusable
        return
    owner = found.namespaces.get(namespace, {})
    ours = _is_ours(owner, recorded, project, stack, namespace)
    if OWNER_PROJECT in owner and not ours:
        described = f"project {owner[OWNER_PROJECT]}, stack {owner.get(OWNER_STACK)} (id {owner.get(OWNER_ID)})"
        yield (
            f"{cluster} already has the mesh of {described}."
            f" Use that stack with its own state, take that mesh down first, or {_BESIDE}"
        )
    elif found.istio and not ours and not adopt:
        yield (
            f"{cluster} already has an Istio that this stack did not install: {found.istio}."
            f" {_only_left(found) or _WAYS_OUT}"
        )
    elif text := "" if ours else _foreign_definitions(found, project, stack, adopt):
        yield f"{cluster} {text}"
    refused = bool(found.istio or OWNER_PROJECT in owner) and not ours
    root = {} if refused else {namespace: "create"}
    yield from _namespace_problems(
        found, recorded, project, stack, {**root, **namespaces}, cluster, root=namespace, adopt=adopt
    )


def _only_left(found: Survey) -> str:
    """How to remove the webhooks if nothing else is left of that Istio; empty if more may be left."""
    if not found.abandoned or found.definitions:
        return ""
    if not found.blocking:
        return "Only that webhook is left of it, and its Service does not exist: remove it first"
    return f"Only leftovers of it remain. {'. '.join(_removal(one, found) for one in found.blocking)}"


def _removal(one: Blocking, found: Survey) -> str:
    return f"{one}. Remove it: `{one.removal} --context {found.target.context}`"


def blocked(found: Survey, recorded: StackState, own: frozenset[str], said: Sequence[str] = ()) -> Iterator[str]:
    """A message for each leftover of an Istio that would refuse objects of the stack, even where the stack may be
    installed: beside another mesh, or over its own.

    `own` are the names of the stack's own webhook configurations. Leftovers that the reasons in `said` name already are
    not repeated."""
    for one in found.blocking:
        token = f"kubernetes:admissionregistration.k8s.io/v1:{one.kind}::{one.name}"
        told = any(one.removal in reason for reason in said)
        if one.name not in own and token not in recorded.resources and not told:
            yield f"{found.target.context} ({found.target.server}) has leftovers of an Istio. {_removal(one, found)}"


def _cluster_problems(
    found: Survey, recorded: StackState, releases: Iterable[Release], stack: str, cluster: str
) -> Iterator[str]:
    """A message if Kubernetes is too old, and one if the stack's state belongs to another cluster."""
    wanted = max((release.kubernetes for release in releases), key=lambda one: one.oldest)
    if found.version < wanted.oldest:
        have, want = (".".join(map(str, v)) for v in (found.version, wanted.oldest))
        yield f"{cluster} is Kubernetes {have}; {want} or later is needed: {wanted.reason}"
    before = recorded.provider
    if before.get("clusterIdentifier", found.uid) != found.uid:
        yield (
            f"the state of stack {stack} belongs to another cluster: {before.get('context')}"
            f" (id {before['clusterIdentifier']}), and {cluster} has id {found.uid}."
            " Name the context of that cluster, or use another stack for this one"
        )


def _namespace_problems(
    found: Survey,
    recorded: StackState,
    project: str,
    stack: str,
    namespaces: Mapping[str, str],
    cluster: str,
    root: str | None = None,
    adopt: bool = False,
) -> Iterator[str]:
    """A message for each namespace that is declared `create` but has another owner, or `existing` but is missing."""
    for name, ownership in namespaces.items():
        there = name in found.namespaces
        free = adopt and OWNER_PROJECT not in found.namespaces.get(name, {})
        mine = _is_ours(found.namespaces.get(name, {}), recorded, project, stack, name)
        if ownership == "existing" and not there:
            yield f"namespace {name} is declared `existing`, but {cluster} lacks it: create it, or declare it `create`"
        if ownership == "create" and there and not mine and not free:
            way_out = "remove it" if name == root else "declare it `existing`, or remove it"
            yield f"namespace {name} is declared `create`, but {cluster} has it, and it is not this stack's: {way_out}"


def problems_without_base(
    found: Survey,
    recorded: StackState,
    releases: Sequence[Release],
    project: str,
    stack: str,
    injectors: Sequence[str],
    namespaces: Mapping[str, str],
    adopt: bool = False,
) -> Iterator[str]:
    """The reasons why a stack with `mesh:base: {enabled: false}` must not be applied: a further revision beside another
    control plane, or a stack without a control plane on this cluster.

    `injectors` are the names of its revisions' injection webhooks; `namespaces` are all namespaces that it uses."""
    cluster = f"{found.target.context} ({found.target.server})"
    yield from _cluster_problems(found, recorded, releases, stack, cluster)
    for injector in found.injectors.intersection(() if adopt else injectors):
        if recorded.has_injector(injector):
            continue
        yield f"{cluster} already has a control plane of this revision: webhook {injector} is not this stack's"
    yield from _namespace_problems(found, recorded, project, stack, namespaces, cluster, adopt=adopt)


def _foreign_definitions(found: Survey, project: str, stack: str, adopt: bool) -> str:
    """The reason why Istio's custom resource definitions on the cluster cannot become this stack's; empty if they can.

    A stack finds its own definitions again if it kept them (`mesh:keepDefinitions`), or if an update was killed."""
    for name, definition in sorted(found.definitions.items()):
        owner = definition.annotations
        if OWNER_PROJECT not in owner and adopt:
            continue
        if OWNER_PROJECT not in owner:
            return f"already has an Istio that this stack did not install: {name} is defined. {_WAYS_OUT}"
        if (owner[OWNER_PROJECT], owner.get(OWNER_STACK)) != (project, stack):
            described = f"project {owner[OWNER_PROJECT]}, stack {owner.get(OWNER_STACK)}"
            return f"has definitions of Istio's API that {described} left behind: use that stack, or delete them"
    return ""


def _is_ours(owner: Mapping[str, str], recorded: StackState, project: str, stack: str, namespace: str) -> bool:
    """Whether the annotations name this project and stack, and the id in its state.

    An update that was killed after the cluster's answer leaves a namespace that is not in the state; it counts as the
    stack's own."""
    if (owner.get(OWNER_PROJECT), owner.get(OWNER_STACK)) != (project, stack) or not recorded.provider:
        return False
    return recorded.owner_id(namespace) in (None, owner.get(OWNER_ID))
