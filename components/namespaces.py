"""Namespaces that the stack makes, and namespaces whose pods get a sidecar: its own, or only labelled by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from cluster.target import Target
from components import kube, meshconfig
from components.controlplane import ControlPlane
from engine import gate
from engine.outputs import with_known_value
from mesh.config.settings import InjectedNamespace, Ownership
from mesh.proxy import injection
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """Which namespaces."""

    mesh: Installation
    """The control plane's, whose label says which namespaces it injects."""
    root: pulumi.Input[str]
    """Istio's own namespace, which is made elsewhere; known when it exists."""
    injected: Mapping[str, InjectedNamespace]
    others: Mapping[str, Ownership]
    """Those without injection."""
    mark: Mapping[str, pulumi.Input[str]]
    """Annotations for those that are made here."""
    control_plane: ControlPlane
    """Labelling waits for its injector: from then on, pods are refused if that does not answer."""
    cluster: Target | None = None
    """Asked before a workload is created whether the injector is ready; None where no cluster is to be asked."""
    restart: bool = False
    """Whether workloads restart when the sidecar that their pods would get changes."""


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A namespace in which a workload may be created, and what the workload has to wait for.

    A component that makes workloads takes one of these, not a name: so it cannot be built without the gate."""

    name: str
    manual: bool
    """Whether workloads bring their sidecar along, instead of getting it from the injector."""
    exists: Sequence[pulumi.Resource]
    """What makes the namespace; nothing where somebody else has."""
    ready: Sequence[pulumi.Resource]
    """What makes sure that pods get their sidecar, the namespace among it."""
    gate: pulumi.ResourceHook | None
    pod_annotations: Mapping[str, str]
    """Annotations for the pods of every workload."""

    def workload(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a workload in this namespace."""
        hooks = pulumi.ResourceHookBinding(before_create=[self.gate], before_update=[self.gate]) if self.gate else None
        return pulumi.ResourceOptions(parent=parent, depends_on=list(self.ready), hooks=hooks)

    def other(self, parent: pulumi.Resource, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of an object without pods."""
        return pulumi.ResourceOptions(parent=parent, depends_on=[*self.exists, *after])


class Namespaces(pulumi.ComponentResource):
    """Makes or labels the namespaces."""

    by_name: dict[str, Injected]
    """Those in which there is injection."""
    names: dict[str, pulumi.Input[str]]
    """The name of each, injected or not, and of Istio's own, known when it exists."""

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Namespaces", name, None, opts)
        self._args, self.names = args, {args.mesh.root: args.root}
        asked = args.cluster if args.control_plane.serving else None
        self._gate = gate.hook(asked, args.mesh) if asked else None
        self._marks = {injection.CHECKSUM: meshconfig.checksum(args.mesh)} if args.restart else {}
        self.by_name = {namespace: self._injected(namespace, how) for namespace, how in args.injected.items()}
        for namespace, ownership in args.others.items():
            self._namespace(namespace, ownership, {}, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})

    def _injected(self, name: str, how: InjectedNamespace) -> Injected:
        a, manual = self._args, how.injection == "manual"
        needed = a.control_plane.serving if manual else a.control_plane.injecting
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(needed))
        made = self._namespace(name, how.ownership, {} if manual else a.mesh.injection_label, opts)
        return Injected(
            name=name,
            manual=manual,
            exists=made if how.ownership == "create" else [],
            ready=[*needed, *made],
            gate=None if manual else self._gate,
            pod_annotations={} if manual else self._marks,
        )

    def _namespace(
        self, name: str, ownership: Ownership, labels: Mapping[str, str], opts: pulumi.ResourceOptions
    ) -> list[pulumi.Resource]:
        """What stands for the namespace: itself, its label, or nothing."""
        self.names[name] = name
        if ownership == "create":
            metadata = kube.metadata(name, labels=labels, annotations=self._args.mark)
            made = k8s.core.v1.Namespace(name, metadata=metadata, opts=opts)
            self.names[name] = with_known_value(made.metadata.name, name)
            return [made]
        if not labels:
            return []
        patch = k8s.meta.v1.ObjectMetaPatchArgs(name=name, labels=dict(labels), annotations=kube.managed())
        return [k8s.core.v1.NamespacePatch(name, metadata=patch, opts=opts)]
