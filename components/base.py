"""What all control planes of a cluster share: Istio's namespace, definitions, service accounts and roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from engine.outputs import with_known_value
from mesh import api
from mesh.releases.release import Installation
from mesh.releases.roles import Account


@dataclass(frozen=True, kw_only=True)
class BaseArgs:
    """Arguments of Base."""

    mesh: Installation
    owner: Mapping[str, pulumi.Input[str]]
    """Annotations that name the owner of the namespace and the definitions."""
    keep: bool = False
    """Whether the definitions, and with them all custom resources, stay on the cluster when the stack is destroyed."""


class Base(pulumi.ComponentResource):
    """Istio's namespace and custom resource definitions, and the accounts and roles of istiod and of remote readers.

    With `base.enabled: false` it is empty: the cluster has these objects already, or does not need them."""

    namespace: pulumi.Output[str]
    """The name of Istio's namespace, known when it exists."""
    definitions: list[k8s.apiextensions.v1.CustomResourceDefinition]
    """Istio's custom resource definitions; custom resources must depend on them."""
    permissions: list[pulumi.Resource]
    """istiod's service account and role bindings."""

    def __init__(self, name: str, args: BaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Base", name, None, opts)
        self._mesh, self._child = args.mesh, pulumi.ResourceOptions(parent=self)
        self.namespace = with_known_value(pulumi.Output.from_input(args.mesh.root), args.mesh.root)
        self.definitions, self.permissions = [], []
        if args.mesh.values.base.enabled:
            self.namespace = self._namespace(args.owner)
            kept = pulumi.ResourceOptions(parent=self, retain_on_delete=args.keep)
            self.definitions = [
                _definition(manifest, args.owner, kept) for manifest in api.definitions(args.mesh.release.api)
            ]
            roles = args.mesh.release.roles
            self._account(roles.reader(args.mesh))
            self.permissions = self._account(roles.istiod(args.mesh))
        self.register_outputs({"namespace": self.namespace})

    def _namespace(self, owner: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
        name = self._mesh.root
        made = k8s.core.v1.Namespace(name, metadata=kube.metadata(name, annotations=owner), opts=self._child)
        return with_known_value(made.metadata.name, name)

    def _account(self, account: Account) -> list[pulumi.Resource]:
        """A service account with its cluster roles and its roles in Istio's namespace."""
        secrets = self._mesh.values.global_.imagePullSecrets
        root = self._mesh.root
        return [
            kube.service_account(account.name, self.namespace, account.labels, secrets, self._child),
            *(
                rbac.grant_on_cluster(self, role, rbac.rules(table), account.name, root, account.labels)
                for role, table in account.on_cluster.items()
            ),
            *(
                rbac.grant_in_namespace(
                    self, role, rbac.rules(table), account.name, self.namespace, account.labels, account_namespace=root
                )
                for role, table in account.in_namespace.items()
            ),
        ]


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
