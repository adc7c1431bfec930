"""The apps of a stack: each object of their files is a resource, with the type of the SDK's class for its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pulumi

from components import kube
from components.inorder import InOrder
from components.namespaces import Injected, Namespaces
from engine.outputs import with_known_value
from engine.sharedfields import SharedFields
from mesh.analysis.objects import Ref
from mesh.apps.item import OBJECTS, AppObject
from mesh.apps.needs import pods_in
from mesh.apps.objects import Apps
from mesh.core import kinds, names, pods
from mesh.core.kinds import GroupKind
from mesh.releases import manual

_WITHOUT_WAIT: Final = (kinds.PERSISTENT_VOLUME_CLAIM, kinds.INGRESS, kinds.SERVICE)
"""Kinds that become ready only if the cluster has a certain controller, such as a provisioner of volumes."""
_VALUES: Final = ("data", "stringData")
"""The fields of a Secret that have its values."""


@dataclass(frozen=True, kw_only=True)
class AppsArgs:
    """Arguments of all apps."""

    namespaces: Namespaces
    api: list[pulumi.Resource]
    """Istio's custom resource definitions and the validation webhook."""
    shared: SharedFields


class App(pulumi.ComponentResource):
    """The objects of one app, or those of `mesh:objects`."""

    def __init__(self, name: str, args: AppsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        token, own = ("mesh:apps:App", name) if name != OBJECTS else ("mesh:objects:Objects", "objects")
        super().__init__(token, own, None, opts)
        self._args = args

    def register(self, item: AppObject, needed: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Registers an object after the resources that it needs."""
        args, ref, after = self._args, item.ref, [*needed]
        injected = args.namespaces.by_name.get(ref.namespace)
        if ref.kind.group.endswith(".istio.io"):
            after += args.api
        opts = pulumi.ResourceOptions(parent=self, depends_on=after)
        body: Mapping[str, Any] = item.body
        if injected and any(pods_in(body)):
            body = _with_proxy(injected, ref.kind, body)
            opts = pulumi.ResourceOptions.merge(injected.workload_options(self), opts)
        inputs: dict[str, Any] = {**body, "metadata": self._metadata(body)}
        if item.others:
            inputs, more = args.shared.apply(inputs, item.others, after)
            opts = pulumi.ResourceOptions.merge(opts, more)
        elif injected and ref.kind == kinds.POD and _is_injected(injected, body):
            inputs, more = args.shared.injected(inputs, injected.pod_annotations)
            opts = pulumi.ResourceOptions.merge(opts, more)
        inputs["metadata"] = {**inputs["metadata"], **self._place(ref)}
        name = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
        return resource(name, inputs, opts)

    def _metadata(self, body: Mapping[str, Any]) -> dict[str, Any]:
        meta, kind = body["metadata"], GroupKind.of(body)
        notes: dict[str, Any] = {**(meta.get("annotations") or {}), **kube.field_manager()}
        spec = body.get("spec") or {}
        if kind == kinds.SERVICE and spec.get("type") == "LoadBalancer":
            notes |= kube.ready_when(spec, kube.HAS_ADDRESS)
        elif kind in _WITHOUT_WAIT:
            notes[names.SKIP_AWAIT] = "true"
        if kind.group.endswith(".istio.io"):
            notes[names.DELETION_PROPAGATION] = "background"
        return {**meta, "annotations": notes}

    def _place(self, ref: Ref) -> dict[str, pulumi.Input[str]]:
        return {"namespace": self._args.namespaces.names[ref.namespace]} if ref.namespace else {}


def _with_proxy(injected: Injected, kind: GroupKind, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A workload with the sidecar itself, or with annotations that make its pods restart when the sidecar changes."""
    if injected.manual:
        return manual.with_sidecar(injected.mesh, body)
    if not injected.pod_annotations or kind not in pods.RESTARTED:
        return body
    return pods.annotated(kind, body, injected.pod_annotations)


def _is_injected(injected: Injected, pod: Mapping[str, Any]) -> bool:
    """Whether istiod injects a Pod when it is created."""
    meta = pod["metadata"]
    asked = injected.mesh.release.injector.requested(meta.get("annotations") or {}, meta.get("labels") or {})
    return asked and not injected.manual and not pod["spec"].get("hostNetwork")


def resource(name: str, body: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """The resource of an object. Its type is that of the SDK's class for its `apiVersion` and `kind`. The class itself
    is not imported, since the object is complete."""
    version = body["apiVersion"] if "/" in body["apiVersion"] else f"core/{body['apiVersion']}"
    props = dict(body)
    if GroupKind.of(body) == kinds.SECRET:
        hidden = {key: _hidden(props[key]) for key in _VALUES if key in props}
        props, secret = props | hidden, pulumi.ResourceOptions(additional_secret_outputs=list(_VALUES))
        opts = pulumi.ResourceOptions.merge(opts, secret)
    return pulumi.CustomResource(f"kubernetes:{version}:{body['kind']}", name, props, opts)


def _hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: with_known_value(pulumi.Output.secret(value), value) for key, value in values.items()}


def install(
    apps: Apps,
    namespaces: Namespaces,
    api: list[pulumi.Resource],
    shared: SharedFields,
    order: InOrder,
    opts: pulumi.ResourceOptions,
) -> None:
    """Adds the apps of `mesh:apps`, and `mesh:objects`, to `order`. `api`: Istio's definitions and the validation
    webhook."""
    args = AppsArgs(namespaces=namespaces, api=api, shared=shared)
    components = {name: App(name, args, opts) for name in dict.fromkeys(item.app for item in apps.objects)}
    for component in components.values():
        order.parent(component)
    for item in apps.objects:
        order.add(item.ref, partial(components[item.app].register, item))
