"""The namespaces that the stack creates, and the existing ones that it labels for injection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from cluster.target import Target
from components import kube, meshconfig
from components.controlplane import ControlPlane
from engine import gate
from engine.outputs import with_known_value
from mesh.config.settings import InjectedNamespace, Ownership
from mesh.core.names import INJECTION_LABELS
from mesh.proxy import injection
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """Arguments of Namespaces."""

    mesh: Installation
    """The control plane's installation, which knows the injection label."""
    root: pulumi.Input[str]
    """Name of Istio's own namespace, which Base creates; known when it exists."""
    injected: Mapping[str, InjectedNamespace]
    others: Mapping[str, Ownership]
    """Namespaces without injection."""
    owner: Mapping[str, pulumi.Input[str]]
    """Annotations that name the owner of the namespaces that are created."""
    control_plane: ControlPlane
    """A namespace is labelled after the injector is ready: from then on, pods are refused if it does not answer."""
    cluster: Target | None = None
    """The cluster that is asked whether the injector is ready before a workload is created; None: no check."""
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Labels and annotations that apps want on namespaces that are created, by name."""
    restart: bool = False
    """Whether workloads restart when the sidecar that is injected into their pods changes."""


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A namespace with injection, and what a workload in it has to wait for.

    A component that creates workloads takes one of these instead of a name, so it cannot miss the injection gate."""

    name: str
    manual: bool
    """Whether the sidecar is a part of the workload's manifest instead of being injected (`injection: manual`)."""
    exists: Sequence[pulumi.Resource]
    """The resource that creates the namespace; empty for an existing one."""
    ready: Sequence[pulumi.Resource]
    """The resources after which pods get a sidecar: those of the control plane, and the namespace or its label."""
    gate: pulumi.ResourceHook | None
    """The hook that checks the injector right before a workload is created or updated; None: no check."""
    pod_annotations: Mapping[str, str]
    """Annotations for the pods of every workload in the namespace."""

    def workload_options(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Resource options of a workload in this namespace."""
        hooks = pulumi.ResourceHookBinding(before_create=[self.gate], before_update=[self.gate]) if self.gate else None
        return pulumi.ResourceOptions(parent=parent, depends_on=list(self.ready), hooks=hooks)

    def options(self, parent: pulumi.Resource, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Resource options of an object without pods in this namespace."""
        return pulumi.ResourceOptions(parent=parent, depends_on=[*self.exists, *after])


class Namespaces(pulumi.ComponentResource):
    """Creates or labels the namespaces of the stack."""

    by_name: dict[str, Injected]
    """The namespaces with injection."""
    names: dict[str, pulumi.Input[str]]
    """The name of each namespace, Istio's own among them, as an output that is known when the namespace exists."""

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Namespaces", name, None, opts)
        self._args, self.names = args, {args.mesh.root: args.root}
        checked = args.cluster if args.control_plane.serving else None
        self._gate = gate.hook(checked, args.mesh) if checked else None
        self._pod_annotations = {injection.CHECKSUM: meshconfig.checksum(args.mesh)} if args.restart else {}
        self.by_name = {namespace: self._injected(namespace, settings) for namespace, settings in args.injected.items()}
        for namespace, ownership in args.others.items():
            self._namespace(namespace, ownership, {}, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})

    def _injected(self, name: str, settings: InjectedNamespace) -> Injected:
        a, manual = self._args, settings.injection == "manual"
        needed = a.control_plane.serving if manual else a.control_plane.injecting
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(needed))
        made = self._namespace(name, settings.ownership, {} if manual else a.mesh.injection_label, opts)
        return Injected(
            name=name,
            manual=manual,
            exists=made if settings.ownership == "create" else [],
            ready=[*needed, *made],
            gate=None if manual else self._gate,
            pod_annotations={} if manual else self._pod_annotations,
        )

    def _namespace(
        self, name: str, ownership: Ownership, labels: Mapping[str, str], opts: pulumi.ResourceOptions
    ) -> list[pulumi.Resource]:
        """The resource of a namespace: the Namespace if it is created, a patch with its label, or none."""
        self.names[name] = name
        if ownership == "create":
            wanted = self._args.metadata.get(name, {})
            wished = {key: value for key, value in (wanted.get("labels") or {}).items() if key not in INJECTION_LABELS}
            annotations = {**(wanted.get("annotations") or {}), **self._args.owner}
            metadata = kube.metadata(name, labels={**wished, **labels}, annotations=annotations)
            made = k8s.core.v1.Namespace(name, metadata=metadata, opts=opts)
            self.names[name] = with_known_value(made.metadata.name, name)
            return [made]
        if not labels:
            return []
        patch = k8s.meta.v1.ObjectMetaPatchArgs(name=name, labels=dict(labels), annotations=kube.field_manager())
        return [k8s.core.v1.NamespacePatch(name, metadata=patch, opts=opts)]
