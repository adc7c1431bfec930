"""Fields of the stack's objects that another controller sets, such as the replicas under an autoscaler, or istiod in a
Pod.

An update that sends the program's value of such a field takes it from its owner, and one that leaves it out removes
it; a list of a custom resource is one value, so that nothing of it can be left out at all. So an update sends what
stands on the cluster, read right before. A list is sent by force, since its owner owns all of it. Where nothing else
of an object changes, as its digest says, the engine is told to ignore the fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pulumi

from cluster.state import StackState
from cluster.target import Target
from engine.outputs import with_known_value
from mesh.analysis.objects import Ref
from mesh.apps import fields
from mesh.core import names
from mesh.core.kinds import GroupKind


class SharedFields:
    """What the state and the cluster have of the fields that others set."""

    def __init__(self, target: Target | None, recorded: StackState) -> None:
        """`target` is the cluster; None if it does not answer, so that this is a preview."""
        self._target, self._recorded = target, recorded

    @cached_property
    def standing(self) -> Mapping[Ref, Mapping[str, Any]]:
        """The objects as the last update or refresh found them."""
        found = (one for one in self._recorded.urns.values() if {"apiVersion", "kind", "metadata"} <= one.keys())
        return {Ref.of(one): one for one in found if (one["metadata"] or {}).get("name")}

    def apply(
        self, body: Mapping[str, Any], paths: Sequence[str], after: Sequence[pulumi.Resource]
    ) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
        """The inputs of an object with fields at the `paths` that others set, and options for its resource. The
        cluster is asked once the resources `after` are there."""
        digest = _digest(fields.without(body, fields.own(paths, body)))
        forced = {names.FORCE: "true"} if any(fields.is_in_list(path) for path in paths) else {}
        sent = _annotated(body, {**forced, names.DIGEST: digest})
        before = self.standing.get(Ref.of(body))
        if before is None:
            return sent, pulumi.ResourceOptions()
        same = (before["metadata"].get("annotations") or {}).get(names.DIGEST) == digest
        pairs = fields.shared(paths, before, body)
        in_place = all(pair.old == pair.new for pair in pairs) and fields.own(paths, before) == fields.own(paths, body)
        if in_place and (same or self._target is None or pulumi.runtime.is_dry_run()):
            return sent, pulumi.ResourceOptions(ignore_changes=[fields.text(pair.new) for pair in pairs])
        return self._standing(sent, paths, after) if self._target else sent, pulumi.ResourceOptions()

    def injected(self, body: Mapping[str, Any], by: Mapping[str, str]) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
        """The inputs of a Pod that istiod injects, and options for its resource. `by` tells control planes apart.

        Injection changes fields that the program sets, too, such as probes and fsGroup, and those of a Pod cannot be
        set back. So they are ignored until the Pod itself changes, or its control plane."""
        digest = _digest({"pod": body, "by": by})
        before = self.standing.get(Ref.of(body)) or {"metadata": {}}
        same = (before["metadata"].get("annotations") or {}).get(names.DIGEST) == digest
        ignored = pulumi.ResourceOptions(ignore_changes=["spec", "metadata.annotations"] if same else None)
        return _annotated(body, {names.DIGEST: digest}), ignored

    def _standing(
        self, body: Mapping[str, Any], paths: Sequence[str], after: Sequence[pulumi.Resource]
    ) -> dict[str, Any]:
        """The object with the cluster's values of the fields, as an output for each part that has some."""
        urns = pulumi.Output.all(*(one.urn for one in after))
        read = urns.apply(lambda _: self._merged(body, paths))
        parts = {path.partition(".")[0] for path in paths}

        def part(name: str) -> pulumi.Output[Any]:
            return with_known_value(read.apply(lambda whole: whole[name]), body[name])

        return {name: part(name) if name in parts else value for name, value in body.items()}

    def _merged(self, body: Mapping[str, Any], paths: Sequence[str]) -> Any:
        assert self._target is not None, "only an update gets here"
        text = self._target.kubectl("get", *_address(body), "--ignore-not-found", "--output", "json")
        found = json.loads(text) if text.strip() else {}
        return fields.laid_over(body, found, paths)


def _annotated(body: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, Any]:
    meta = body["metadata"]
    return {**body, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), **more}}}


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:8]


def _address(body: Mapping[str, Any]) -> list[str]:
    """The arguments of `kubectl get` for an object, by the version of its API."""
    kind, version = GroupKind.of(body), str(body["apiVersion"]).rpartition("/")[2]
    type_ = ".".join(filter(None, (kind.name, version if kind.group else "", kind.group)))
    meta = body["metadata"]
    return [f"{type_}/{meta['name']}", *(["--namespace", meta["namespace"]] if meta.get("namespace") else [])]
