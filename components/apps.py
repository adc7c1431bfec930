"""The apps of a stack: each object of their files is a resource of its own, of the SDK's class for its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi

from components import kube, meshconfig
from components.namespaces import Namespaces
from mesh.analysis.objects import Ref
from mesh.apps.needs import Needs
from mesh.apps.objects import OBJECTS, AppObject
from mesh.core import kinds, names
from mesh.core.kinds import GroupKind
from mesh.releases.release import Installation

_WITHOUT_WAIT: Final = (kinds.PERSISTENT_VOLUME_CLAIM, kinds.INGRESS)
"""Kinds that become ready only by something of the cluster that need not be there, such as a provisioner."""


@dataclass(frozen=True, kw_only=True)
class AppsArgs:
    """Arguments of all apps."""

    mesh: Installation
    namespaces: Namespaces
    api: Sequence[pulumi.Resource]
    """Istio's custom resource definitions and the validation webhook."""
    needs: Needs
    made: dict[Ref, pulumi.Resource] = field(default_factory=dict)
    """The resources of the objects that are registered so far."""


class App(pulumi.ComponentResource):
    """The objects of one app, or those of `mesh:objects`."""

    def __init__(
        self, name: str, args: AppsArgs, objects: Sequence[AppObject], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        token, own = ("mesh:apps:App", name) if name != OBJECTS else ("mesh:objects:Objects", "objects")
        super().__init__(token, own, None, opts)
        self._args = args
        for item in objects:
            args.made[item.ref] = self._register(item)
        self.register_outputs({})

    def _register(self, item: AppObject) -> pulumi.Resource:
        ref, body = item.ref, dict(item.body)
        injected = self._args.namespaces.by_name.get(ref.namespace)
        makes_pods = ref.kind in kinds.POD_TEMPLATE_KINDS or ref.kind == kinds.POD
        if makes_pods and injected and injected.manual:
            body = meshconfig.with_sidecar(self._args.mesh, body)
        after = [self._args.made[needed] for needed in self._args.needs.of(item) if needed in self._args.made]
        if ref.kind.group.endswith(".istio.io"):
            after += self._args.api
        opts = pulumi.ResourceOptions(parent=self, depends_on=after)
        if makes_pods and injected:
            opts = pulumi.ResourceOptions.merge(injected.workload_options(self), opts)
        body["metadata"] = self._metadata(body)
        place = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
        return resource(place, body, opts)

    def _metadata(self, body: Mapping[str, Any]) -> dict[str, Any]:
        meta, kind = dict(body["metadata"]), GroupKind.of(body)
        notes: dict[str, Any] = {**(meta.get("annotations") or {}), **kube.field_manager()}
        balanced = (body.get("spec") or {}).get("type") == "LoadBalancer"
        if kind in _WITHOUT_WAIT or (kind == kinds.SERVICE and not balanced):
            notes[names.SKIP_AWAIT] = "true"
        if kind.group.endswith(".istio.io"):
            notes[names.DELETION_PROPAGATION] = "background"
        if namespace := meta.get("namespace"):
            meta["namespace"] = self._args.namespaces.names[namespace]
        return {**meta, "annotations": notes}


def resource(name: str, body: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """The resource of an object. Its type is that of the SDK's class for its `apiVersion` and `kind`; the class itself
    would be imported for nothing, since the object is whole."""
    version = body["apiVersion"] if "/" in body["apiVersion"] else f"core/{body['apiVersion']}"
    if GroupKind.of(body) == kinds.SECRET:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["data", "stringData"])
        opts = pulumi.ResourceOptions.merge(opts, secret)
    return pulumi.CustomResource(f"kubernetes:{version}:{body['kind']}", name, dict(body), opts)


def install(
    objects: Sequence[AppObject],
    mesh: Installation,
    namespaces: Namespaces,
    api: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """Installs the apps of `mesh:apps`, and `mesh:objects`. `api`: Istio's definitions and the validation webhook."""
    args = AppsArgs(mesh=mesh, namespaces=namespaces, api=api, needs=Needs(objects))
    for name in dict.fromkeys(item.app for item in objects):
        App(name, args, [item for item in objects if item.app == name], opts)
