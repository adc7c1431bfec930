"""Fields of the stack's objects that another controller sets, such as replicas (an autoscaler), or parts of a Pod
(istiod).

An update that sends the program's value of such a field takes the field from its owner, and an update that omits the
field removes it. A list in a custom resource is one value, so no part of it can be omitted. Therefore an update sends
the values on the cluster, which it reads right before. It sends a list by force, since its owner owns the whole list.
If nothing else of an object changes, which its digest shows, the engine ignores the fields.
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
    """The values of fields that other controllers set, in the state and on the cluster."""

    def __init__(self, target: Target | None, recorded: StackState) -> None:
        """`target` is the cluster; None in a preview if the cluster does not answer."""
        self._target, self._recorded = target, recorded

    @cached_property
    def standing(self) -> Mapping[Ref, Mapping[str, Any]]:
        """The objects as the last update or refresh found them."""
        found = (one for one in self._recorded.urns.values() if {"apiVersion", "kind", "metadata"} <= one.keys())
        return {Ref.of(one): one for one in found if (one["metadata"] or {}).get("name")}

    def apply(
        self, body: Mapping[str, Any], paths: Sequence[str], after: Sequence[pulumi.Resource]
    ) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
        """The inputs of an object whose fields at `paths` are set by others, and options for its resource. The cluster
        is asked after the resources `after` exist."""
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
        """The inputs of a Pod that istiod injects, and options for its resource. `by` identifies the control plane.

        Injection also changes fields that the program sets, such as probes and fsGroup, which cannot be changed back in
        a Pod. So they are ignored until the Pod itself or its control plane changes."""
        digest = _digest({"pod": body, "by": by})
        before = self.standing.get(Ref.of(body)) or {"metadata": {}}
        same = (before["metadata"].get("annotations") or {}).get(names.DIGEST) == digest
        ignored = pulumi.ResourceOptions(ignore_changes=["spec", "metadata.annotations"] if same else None)
        return _annotated(body, {names.DIGEST: digest}), ignored

    def _standing(
        self, body: Mapping[str, Any], paths: Sequence[str], after: Sequence[pulumi.Resource]
    ) -> dict[str, Any]:
        """The object with the cluster's values of the fields; each top-level part with such fields is an output."""
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
