"""Moves workloads to another control plane: their pods are replaced, one workload after another.

The engine updates workloads concurrently. If the new pods of a workload do not become ready, it leaves the workload
with pods of both templates. That is a risk during a move: a fault of the new sidecar would affect all workloads. So a
hook does the rollout before the engine updates the workload, and rolls it back if it fails. After a successful rollout
the engine's update has nothing left to do.

The cluster, not only the state, shows the control plane of a workload: an update that was killed may have moved the
workload without recording it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pulumi

from cluster import client, proxy, rollout
from cluster.errors import ClusterError
from cluster.target import Target
from mesh.core import pods
from mesh.core.kinds import GroupKind
from mesh.core.names import REVISION_LABEL
from mesh.proxy import injection

NAME: Final = "moves-one-by-one"

Manifest = Mapping[str, Any]


class NotMoved(Exception):
    """A workload could not be moved. The message says why, and which control plane it has now."""


class Moves:
    """The moves of one update."""

    def __init__(self, target: Target, limit: float) -> None:
        """`limit`: seconds within which the new pods of a workload must become ready."""
        self._target, self._limit = target, limit
        self._one_by_one = asyncio.Lock()
        self._stuck = ""
        self.hook: Final = pulumi.ResourceHook(NAME, self._before_update)

    async def _before_update(self, args: pulumi.ResourceHookArgs) -> None:
        before, after = await _known(args.old_inputs or {}), await _known(args.new_inputs or {})
        if not before or not after or await asyncio.to_thread(self._is_there, before, after):
            return
        async with self._one_by_one:
            if self._stuck:
                raise NotMoved(f"{args.name} stays where it is, since {self._stuck} could not be moved")
            where = _revision(after) or "the stack's own control plane"
            pulumi.log.info(f"moving {args.name} to {where}: its pods are replaced")
            if problem := await asyncio.to_thread(self._move, before, after):
                self._stuck = args.name
                raise NotMoved(problem)

    def _is_there(self, before: Manifest, after: Manifest) -> bool:
        """Whether a workload has its control plane, in the state as well as on the cluster."""
        if _revision(before) != _revision(after):
            return False
        if GroupKind.of(after) not in rollout.PLURALS:
            return True
        with proxy.connect(self._target) as api:
            found = client.find(api, rollout.path(after))
        return found is None or _revision(found) == _revision(after)

    def _move(self, before: Manifest, after: Manifest) -> str:
        """Replaces the pods. Returns the reason if that failed, otherwise an empty text."""
        where = f"{after['kind']} {after['metadata']['namespace']}/{after['metadata']['name']}"
        try:
            with proxy.connect(self._target) as api:
                rollout.apply(api, after)
                if rollout.wait(
                    api, after, self._limit, lambda text: pulumi.log.info(f"{where}: {text}", ephemeral=True)
                ):
                    return ""
                found = client.get(api, rollout.path(after))
                why = "; ".join(dict.fromkeys(rollout.reasons(api, found)))
                back = self._take_back(api, before, found) if _revision(before) != _revision(after) else ""
        except ClusterError as error:
            return f"{where} could not be moved: {error}"
        told = f": {why}" if why else ""
        return (
            f"{where} got no ready pods within {self._limit:.0f} s (mesh:timeout){told}. {back}Fix it and run `up`"
            " again, or change the revision of its namespace back"
        )

    def _take_back(self, api: client.Api, before: Manifest, found: Manifest) -> str:
        """Restores the previous pod template. Returns a sentence with the result."""
        rollout.apply(api, before)
        rollout.drop_unready(api, found)
        if rollout.wait(api, before, self._limit, lambda _: None):
            return "It has its old pods again, and the workloads after it were not changed. "
        return "Its old pod template is restored, but its pods are not ready yet. "


def _revision(manifest: Manifest) -> str:
    """The revision of the control plane that a workload names for its pods; empty if it names none."""
    template = pods.template(GroupKind.of(manifest), manifest)
    noted = ((template.get("metadata") or {}).get("annotations") or {}).get(injection.REVISION)
    return noted or (manifest["metadata"].get("labels") or {}).get(REVISION_LABEL) or ""


async def _known(value: Any) -> Any:
    """A value of the engine in which outputs, which hold secrets, are replaced by their values."""
    if isinstance(value, pulumi.Output):
        return await _known(await value.future())
    if isinstance(value, Mapping):
        return {key: await _known(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list | tuple):
        return [await _known(item) for item in value]
    return value
