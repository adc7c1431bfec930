"""Moves of workloads to another control plane: their pods are replaced, one workload after another.

The engine updates what it can at the same time, and leaves a workload whose new pods do not get ready as it is then:
with pods of both templates. A move is the moment at which that hurts, since the new sidecar may be what is wrong, for
all workloads alike. So a hook does the rollout before the engine's own update of the workload, and takes it back if it
fails. The update that follows finds nothing to do.

Where a workload is, the cluster knows: an update that was killed may have moved it without a record.
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
    """A workload could not be moved; the message says why, and where it is now."""


class Moves:
    """The moves of one update."""

    def __init__(self, target: Target, limit: float) -> None:
        """`limit`: seconds within which the new pods of a workload must get ready."""
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
        """Whether a workload is with its control plane, by the record as well as on the cluster."""
        if _revision(before) != _revision(after):
            return False
        if GroupKind.of(after) not in rollout.PLURALS:
            return True
        with proxy.connect(self._target) as api:
            found = client.find(api, rollout.path(after))
        return found is None or _revision(found) == _revision(after)

    def _move(self, before: Manifest, after: Manifest) -> str:
        """Replaces the pods; why that failed, or empty."""
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
            f"{where} got no ready pods within {self._limit:.0f} s (mesh:timeout){told}. {back}Mend it and run `up`"
            " again, or change the revision of its namespace back"
        )

    def _take_back(self, api: client.Api, before: Manifest, found: Manifest) -> str:
        """Restores the pod template of before; says how that went."""
        rollout.apply(api, before)
        rollout.drop_unready(api, found)
        if rollout.wait(api, before, self._limit, lambda _: None):
            return "It is back at what it was, and the workloads after it were not touched. "
        return "Its pod template is back at what it was, but its pods are not ready yet. "


def _revision(manifest: Manifest) -> str:
    """The control plane that a workload's pods are for, as far as the workload says."""
    template = pods.template(GroupKind.of(manifest), manifest)
    noted = ((template.get("metadata") or {}).get("annotations") or {}).get(injection.REVISION)
    return noted or (manifest["metadata"].get("labels") or {}).get(REVISION_LABEL) or ""


async def _known(value: Any) -> Any:
    """A value of the engine with its secrets, which are outputs."""
    if isinstance(value, pulumi.Output):
        return await _known(await value.future())
    if isinstance(value, Mapping):
        return {key: await _known(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list | tuple):
        return [await _known(item) for item in value]
    return value
