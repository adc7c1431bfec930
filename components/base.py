"""The objects that all control planes of a cluster share: Istio's namespace, CRDs, service accounts and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from engine.outputs import with_known_value
from mesh import api
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class BaseArgs:
    """Arguments of Base."""

    control_planes: Sequence[Installation]
    """All control planes of the stack. The first one is that of the stack's own keys; its values configure the base."""
    owner: Mapping[str, pulumi.Input[str]]
    """Annotations that name the owner of the namespace and the definitions."""
    keep: bool = False
    """Whether the definitions, and with them all custom resources, stay on the cluster when the stack is destroyed."""


class Base(pulumi.ComponentResource):
    """Istio's namespace and custom resource definitions, and the accounts and roles that control planes share.

    With `base.enabled: false` it is empty: the cluster has these objects already, or does not need them."""

    namespace: pulumi.Output[str]
    """The name of Istio's namespace, known when it exists."""
    definitions: list[k8s.apiextensions.v1.CustomResourceDefinition]
    """Istio's custom resource definitions; custom resources must depend on them."""
    permissions: list[pulumi.Resource]
    """istiod's service account and role bindings, if control planes share them."""

    def __init__(self, name: str, args: BaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Base", name, None, opts)
        self._mesh, self._child = args.control_planes[0], pulumi.ResourceOptions(parent=self)
        self.namespace = with_known_value(pulumi.Output.from_input(self._mesh.root), self._mesh.root)
        self.definitions, self.permissions = [], []
        if self._mesh.values.base.enabled:
            if self._mesh.on_cluster:
                self.namespace = self._namespace(args.owner)
            self.definitions = self._definitions(args)
            self.permissions = self._accounts(args.control_planes)
        self.register_outputs({"namespace": self.namespace})

    def _namespace(self, owner: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
        name = self._mesh.root
        made = k8s.core.v1.Namespace(name, metadata=kube.metadata(name, annotations=owner), opts=self._child)
        return with_known_value(made.metadata.name, name)

    def _definitions(self, args: BaseArgs) -> list[k8s.apiextensions.v1.CustomResourceDefinition]:
        base = self._mesh.values.base
        if not (self._mesh.on_cluster and base.enableIstioConfigCRDs):
            return []
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=args.keep)
        return [
            _definition(manifest, args.owner, kept)
            for manifest in api.definitions(self._mesh.newest.api)
            if manifest["metadata"]["name"] not in base.excludedCRDs
        ]

    def _accounts(self, control_planes: Iterable[Installation]) -> list[pulumi.Resource]:
        """Creates the account of readers on other clusters, and istiod's account and the roles if control planes share
        them. Returns the resources that istiod needs."""
        mesh = self._mesh
        if reader := mesh.release.roles.reader(mesh):
            rbac.service_account(mesh, reader, self.namespace, self)
            if not mesh.release.roles.revisioned:
                rbac.roles(mesh, reader, self.namespace, self)
        sharing = next((one for one in control_planes if not one.release.roles.revisioned), None)
        istiod = sharing.release.roles.istiod(sharing) if sharing else None
        if not (sharing and istiod):
            return []
        account = rbac.service_account(sharing, istiod, self.namespace, self)
        return [*account, *rbac.roles(sharing, istiod, self.namespace, self)]


def _definition(
    manifest: Mapping[str, Any], owner: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> k8s.apiextensions.v1.CustomResourceDefinition:
    meta = manifest["metadata"]
    annotations = {**(meta.get("annotations") or {}), **owner}
    return k8s.apiextensions.v1.CustomResourceDefinition(
        meta["name"],
        metadata=kube.metadata(meta["name"], labels=meta.get("labels"), annotations=annotations),
        spec=manifest["spec"],  # plain data: the schema is generated from the types
        opts=opts,
    )
