"""Namespaces whose pods get a sidecar: ours, or somebody else's with nothing but a label of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components import kube, webhooks


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """Which namespaces."""

    ownership: Mapping[str, str]
    """`create` or `existing`, by name."""
    mark: Mapping[str, pulumi.Input[str]]
    """Annotations for those that are made here."""
    injector: Sequence[pulumi.Resource]
    """Labelling waits for these: from then on, pods are refused if the injector does not answer."""


class Namespaces(pulumi.ComponentResource):
    """Makes or labels the namespaces."""

    by_name: dict[str, pulumi.Resource]

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Namespaces", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, depends_on=list(args.injector))
        labels = {webhooks.NAMESPACE_LABEL: "enabled"}
        self.by_name = {}
        for namespace, ownership in args.ownership.items():
            if ownership == "create":
                metadata = kube.metadata(namespace, labels=labels, annotations=args.mark)
                self.by_name[namespace] = k8s.core.v1.Namespace(namespace, metadata=metadata, opts=child)
            else:
                patch = k8s.meta.v1.ObjectMetaPatchArgs(name=namespace, labels=labels)
                self.by_name[namespace] = k8s.core.v1.NamespacePatch(namespace, metadata=patch, opts=child)
        self.register_outputs({})
