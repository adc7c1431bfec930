"""After an update: lists the pods that the stack does not manage and that still use another control plane than their
namespace's, and tells how to move them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster import revisions
from cluster.client import Api
from cluster.errors import ClusterError
from cluster.revisions import Revisions
from cluster.sidecars import SHOWN, Sidecar
from commands.teardown import Recorded
from mesh.config.settings import Settings
from mesh.core import pods, words

_ROLLED: Final = {"ReplicaSet": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset"}
"""The kind that `kubectl rollout restart` restarts, by the kind that controls the pods."""


def announce(state: Mapping[str, Any], api: Api, settings: Settings) -> None:
    """Prints a line for each namespace of the stack with such pods, if the stack has several control planes or revision
    tags. If the caller may not read the pods, it prints the error instead."""
    if len(settings.installations) == 1 and not settings.revisionTags:
        return
    try:
        found = revisions.read(api)
    except ClusterError as error:
        print(f"pods that the stack does not manage could not be checked: {error}")
        return
    own = Recorded(state.get("resources") or []).names(*pods.TEMPLATES)
    for name in settings.injectedNamespaces:
        behind = [one for one in _behind(found, name) if not one.maker_among(own)]
        if behind:
            print("\n  ".join(_lines(name, behind, found, settings.context or "")))


def _behind(found: Revisions, namespace: str) -> Iterator[Sidecar]:
    there = found.namespaces.get(namespace)
    for one in found.sidecars.get(namespace, ()):
        if there and there.revision and found.asked_by(one) not in ("", there.revision):
            yield one


def _lines(namespace: str, behind: list[Sidecar], found: Revisions, context: str) -> Iterator[str]:
    asked = ", ".join(sorted({found.asked_by(one) for one in behind}))
    yield (
        f"namespace {namespace}: {words.count(len(behind), 'pod')} that the stack does not manage"
        f" {'stays' if len(behind) == 1 else 'stay'} with control plane {asked} until restarted:"
    )
    rolled = sorted(set(filter(None, map(_rolled, behind))))
    if rolled:
        yield f"kubectl rollout restart {' '.join(rolled)} --namespace {namespace} --context {context}"
    others = sorted(one.name[1] for one in behind if not _rolled(one))
    if others:
        yield f"no workload restarts {words.some(others, SHOWN)}: delete and recreate"


def _rolled(one: Sidecar) -> str:
    """The workload to restart for a pod with `kubectl rollout restart`, such as `deployment/cart`; empty if there is
    none."""
    for owner in one.pod["metadata"].get("ownerReferences", []):
        if owner["kind"] in _ROLLED:
            name = owner["name"].rpartition("-")[0] if owner["kind"] == "ReplicaSet" else owner["name"]
            return f"{_ROLLED[owner['kind']]}/{name}"
    return ""
