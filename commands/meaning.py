"""What changes its meaning with another control plane, in a stack and in the other objects on its cluster; for
`make upgrade`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from cluster import listing, proxy, revisions, sidecars
from cluster.errors import ClusterError
from cluster.target import Target as Cluster
from commands import analyze, precheck
from mesh import releases
from mesh.analysis.objects import Object, Ref
from mesh.config.settings import NAMESPACE
from mesh.config.stack import Stack
from mesh.core import kinds, pods, validation, words
from mesh.core.kinds import GroupKind
from mesh.core.merge import merged
from mesh.upgrade import text
from mesh.upgrade.settings import moved
from mesh.upgrade.subject import Proxy
from mesh.upgrade.target import Target
from mesh.upgrade.upgrade import findings
from mesh.values.values import Values

Manifest = Mapping[str, Any]

_SHOWN: Final = 3
"""The most malformed objects that a line names."""


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """The objects on the cluster."""

    objects: Mapping[Ref, Manifest]
    kubernetes: tuple[int, int] | None = None
    unread: str = ""
    """What could not be read, and why, for the user; empty if everything could."""


def lines(name: str, stack: Stack, target: Target) -> Iterator[str]:
    """The changes in meaning on the way to a target, after a line about what could not be checked. Raises CommandError,
    SettingsError."""
    try:
        planned = stack.installations.get(target.revision)
        after = planned or moved(stack.installation, releases.get(target.release))
    except ValidationError as error:
        yield from validation.problems(error, Values, f"{NAMESPACE}:")
        return
    own = {obj.ref: obj for obj in analyze.made(name, stack)}
    there = _standing(name, stack)
    others = [_of_others(one) for ref, one in there.objects.items() if ref not in own and _counts(one)]
    yield from filter(None, (there.unread, _malformed(others)))
    objects = [*(_with_metadata(obj, there.objects.get(ref, {})) for ref, obj in own.items()), *others]
    proxies = list(_proxies(there.objects, {ref[1:] for ref in own if ref.kind in pods.TEMPLATES}))
    yield from text.lines(findings(objects, stack.installation, after, there.kubernetes, proxies))


def _standing(name: str, stack: Stack) -> _Standing:
    try:
        cluster = Cluster.named(stack.settings.context)
        precheck.refuse_unless_started(name, cluster)
        with proxy.connect(cluster) as api:
            version = precheck.kubernetes(name, cluster, api)
            found = listing.read(api)
    except ClusterError as error:
        return _Standing(objects={}, unread=f"The cluster was not checked: {_in_one_line(str(error))}")
    objects = {Ref.of(one): one for one in found.objects}
    return _Standing(objects=objects, kubernetes=version, unread=_said(found.unread))


def _said(unread: Mapping[GroupKind, str]) -> str:
    names = ", ".join(map(str, unread))
    reasons = map(_in_one_line, unread.values())
    return f"Not all of the cluster was checked ({names}): {next(reasons)}" if unread else ""


def _malformed(others: Sequence[Object]) -> str:
    """A line about the objects outside the stack that cannot be judged, with the first problem of each; empty if there
    are none."""
    found = [f"{obj.ref}: {obj.form.problems[0]}" for obj in others if obj.form.malformed]
    return f"Some objects of the cluster are malformed: {words.some(found, _SHOWN, '; ')}" if found else ""


def _in_one_line(message: str) -> str:
    return " ".join(message.split())


def _with_metadata(obj: Object, there: Manifest) -> Object:
    """An object of the stack as it will be: with the labels and annotations that others have set on the cluster, and
    with its age."""
    body = {**obj.body, "metadata": merged(there.get("metadata") or {}, obj.body["metadata"])}
    whole = Object.read(body)
    return replace(obj, body=body, labels=whole.labels, annotations=whole.annotations)


def _of_others(manifest: Manifest) -> Object:
    return replace(Object.read(manifest), written=lambda _: "the cluster, not of this stack")


def _counts(manifest: Manifest) -> bool:
    """Whether an object has not ended, and was not created from the pod template of another object."""
    owners = manifest["metadata"].get("ownerReferences") or ()
    done = "completionTime" in (manifest.get("status") or {})
    return not (done or sidecars.has_ended(manifest) or any(GroupKind.of(one) in pods.TEMPLATES for one in owners))


def _proxies(objects: Mapping[Ref, Manifest], own: set[tuple[str, str]]) -> Iterator[Proxy]:
    """The proxies in pods that the stack does not manage; `own` has the names of the stack's workloads."""
    for one in sidecars.among(manifest for ref, manifest in objects.items() if ref.kind == kinds.POD):
        if not one.maker_among(own):
            yield Proxy(_of_others(one.pod), one.image, revisions.version(one.image))
