"""What every control plane on a cluster shares: the namespace, Istio's API, and the role of readers from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import api, kube, rbac

READER = "istio-reader-service-account"


@dataclass(frozen=True, kw_only=True)
class BaseArgs:
    """What Base needs to know."""

    namespace: str
    """Istio's root namespace, made here."""
    mark: Mapping[str, pulumi.Input[str]]
    """Annotations that say whose the namespace is."""


class Base(pulumi.ComponentResource):
    """Istio's namespace, custom resource definitions and reader role."""

    namespace: pulumi.Output[str]
    """The namespace's name, known when it exists."""
    definitions: list[k8s.apiextensions.v1.CustomResourceDefinition]
    """Istio's API; a custom resource must depend on these."""

    def __init__(self, name: str, args: BaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Base", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        root = k8s.core.v1.Namespace(
            args.namespace, metadata=kube.metadata(args.namespace, annotations=args.mark), opts=child
        )
        self.namespace = root.metadata.name
        self.definitions = [_definition(manifest, child) for manifest in api.definitions()]
        self._reader(args.namespace, child)
        self.register_outputs({"namespace": self.namespace})

    def _reader(self, namespace: str, child: pulumi.ResourceOptions) -> None:
        role, labels = f"istio-reader-{namespace}", {"app": "istio-reader"}
        k8s.core.v1.ServiceAccount(READER, metadata=kube.metadata(READER, self.namespace, labels), opts=child)
        k8s.rbac.v1.ClusterRole(
            role, metadata=kube.metadata(role, labels=labels), rules=rbac.rules(rbac.READER), opts=child
        )
        k8s.rbac.v1.ClusterRoleBinding(
            role,
            metadata=kube.metadata(role, labels=labels),
            role_ref=rbac.reference("ClusterRole", role),
            subjects=rbac.account(READER, namespace),
            opts=child,
        )


def _definition(
    manifest: Mapping[str, Any], child: pulumi.ResourceOptions
) -> k8s.apiextensions.v1.CustomResourceDefinition:
    meta = manifest["metadata"]
    return k8s.apiextensions.v1.CustomResourceDefinition(
        meta["name"],
        metadata=kube.metadata(meta["name"], labels=meta.get("labels"), annotations=meta.get("annotations")),
        spec=manifest["spec"],  # in wire names: the schema is data, made from the types
        opts=child,
    )
