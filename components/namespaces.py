"""Namespaces whose pods get a sidecar: ours, or somebody else's with nothing but a label of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components import kube, webhooks
from components.settings import InjectedNamespace


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """Which namespaces."""

    namespaces: Mapping[str, InjectedNamespace]
    mark: Mapping[str, pulumi.Input[str]]
    """Annotations for those that are made here."""
    control_plane: Sequence[pulumi.Resource]
    """What a sidecar needs in order to get ready: istiod."""
    injector: Sequence[pulumi.Resource]
    """Labelling waits for these: from then on, pods are refused if the injector does not answer."""
    gate: pulumi.ResourceHook | None
    """Asked before a workload is created; None where no cluster can be asked."""


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A namespace in which a workload may be created, and what the workload has to wait for.

    A component that makes workloads takes one of these, not a name: so it cannot be built without the gate."""

    name: str
    manual: bool
    """Whether workloads bring their sidecar along, instead of getting it from the injector."""
    ready: Sequence[pulumi.Resource]
    gate: pulumi.ResourceHook | None

    def workload(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a workload in this namespace."""
        hooks = pulumi.ResourceHookBinding(before_create=[self.gate], before_update=[self.gate]) if self.gate else None
        return pulumi.ResourceOptions(parent=parent, depends_on=list(self.ready), hooks=hooks)

    def other(self, parent: pulumi.Resource, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of an object without pods."""
        return pulumi.ResourceOptions(parent=parent, depends_on=[*self.ready, *after])


class Namespaces(pulumi.ComponentResource):
    """Makes or labels the namespaces."""

    by_name: dict[str, Injected]

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Namespaces", name, None, opts)
        self._args = args
        self.by_name = {namespace: self._injected(namespace, how) for namespace, how in args.namespaces.items()}
        self.register_outputs({})

    def _injected(self, name: str, how: InjectedNamespace) -> Injected:
        a, manual = self._args, how.injection == "manual"
        labels = {} if manual else {webhooks.NAMESPACE_LABEL: "enabled"}
        needed = a.control_plane if manual else a.injector
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(needed))
        ready = list(needed)
        if how.ownership == "create":
            metadata = kube.metadata(name, labels=labels, annotations=a.mark)
            ready.append(k8s.core.v1.Namespace(name, metadata=metadata, opts=opts))
        elif labels:
            patch = k8s.meta.v1.ObjectMetaPatchArgs(name=name, labels=labels)
            ready.append(k8s.core.v1.NamespacePatch(name, metadata=patch, opts=opts))
        return Injected(name=name, manual=manual, ready=ready, gate=None if manual else a.gate)
