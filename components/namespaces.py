"""The namespaces that the stack creates, and the existing ones that it labels for injection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from cluster.target import Target
from components import kube, meshconfig
from components.controlplane import ControlPlane
from engine import gate
from engine.outputs import with_known_value
from mesh.config.settings import InjectedNamespace, Ownership, Settings
from mesh.core.names import DEFAULT_REVISION, INJECTION_LABELS
from mesh.proxy import injection
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """Arguments of Namespaces."""

    settings: Settings
    """The stack's settings: its namespaces, and the control plane that injects each of them."""
    root: pulumi.Input[str]
    """Name of Istio's own namespace, which Base creates; known when it exists."""
    owner: Mapping[str, pulumi.Input[str]]
    """Annotations that name the owner of the namespaces that are created."""
    control_planes: Mapping[str, ControlPlane]
    """The control planes by revision. A namespace is labelled only after its injector is ready, because once it is
    labelled, pods are refused if the injector does not answer."""
    cluster: Target | None = None
    """The cluster on which the injector is checked before a workload is created; None for no check."""
    moves: pulumi.ResourceHook | None = None
    """The hook for workloads whose control plane changes; None if there is no cluster."""
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Labels and annotations that apps want on the namespaces that the stack creates, by name."""


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A namespace with injection, and the resources that a workload in it has to wait for.

    A component that creates workloads takes this object instead of a name, so it cannot miss the injection gate."""

    name: str
    mesh: Installation
    """The control plane that injects."""
    manual: bool
    """Whether the sidecar is in the workload's manifest instead of being injected (`injection: manual`)."""
    exists: Sequence[pulumi.Resource]
    """The resource that creates the namespace; empty for an existing one."""
    ready: Sequence[pulumi.Resource]
    """The resources that must exist before pods get a sidecar: the control plane, and the namespace or its label."""
    gate: pulumi.ResourceHook | None
    """The hook that checks the injector right before a workload is created or updated; None for no check."""
    moves: pulumi.ResourceHook | None
    """The hook that replaces the pods of workloads one after another when their control plane changes."""
    pod_annotations: Mapping[str, str]
    """Annotations for the pods of every workload in the namespace."""

    def workload_options(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Resource options of a workload in this namespace."""
        checks = [self.gate] if self.gate else []
        updates = [*checks, *([self.moves] if self.moves else [])]
        hooks = pulumi.ResourceHookBinding(before_create=list(checks), before_update=list(updates)) if updates else None
        return pulumi.ResourceOptions(parent=parent, depends_on=list(self.ready), hooks=hooks)

    def options(self, parent: pulumi.Resource, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Resource options of an object without pods in this namespace."""
        return pulumi.ResourceOptions(parent=parent, depends_on=[*self.exists, *after])


class Namespaces(pulumi.ComponentResource):
    """Creates or labels the namespaces of the stack."""

    by_name: dict[str, Injected]
    """The namespaces with injection."""
    names: dict[str, pulumi.Input[str]]
    """The name of each namespace, including Istio's own, as an output that is known when the namespace exists."""

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Namespaces", name, None, opts)
        self._args, self.names = args, {args.settings.installation.root: args.root}
        self._gates = {revision: self._gate(revision) for revision in args.control_planes}
        injected = args.settings.injectedNamespaces
        self.by_name = {namespace: self._injected(namespace, settings) for namespace, settings in injected.items()}
        for namespace, ownership in args.settings.namespaces.items():
            self._namespace(namespace, ownership, {}, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})

    def _gate(self, revision: str) -> pulumi.ResourceHook | None:
        """The hook that checks a control plane's injector; None if the stack runs no istiod for it."""
        args = self._args
        if not (args.cluster and args.control_planes[revision].serving):
            return None
        return gate.hook(args.cluster, args.settings.installations[revision])

    def _injected(self, name: str, settings: InjectedNamespace) -> Injected:
        chosen, manual = self._args.settings, settings.injection == "manual"
        mesh = chosen.control_plane_of(settings.revision)
        control_plane = self._args.control_planes[mesh.revision]
        needed = control_plane.serving if manual else control_plane.injecting
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(needed))
        made = self._namespace(name, settings.ownership, chosen.injection_labels.get(name, {}), opts)
        return Injected(
            name=name,
            mesh=mesh,
            manual=manual,
            exists=made if settings.ownership == "create" else [],
            ready=[*needed, *made],
            gate=None if manual else self._gates[mesh.revision],
            moves=self._args.moves,
            pod_annotations={} if manual else dict(self._noted(settings, mesh)),
        )

    def _noted(self, settings: InjectedNamespace, mesh: Installation) -> Iterator[tuple[str, str]]:
        """Annotations of pods that change when the pods have to be restarted."""
        revision = self._args.settings.revision_of(settings.revision) if settings.revision else DEFAULT_REVISION
        if revision != DEFAULT_REVISION:
            yield injection.REVISION, revision
        if self._args.settings.restartOnInjectionChange:
            yield injection.CHECKSUM, meshconfig.checksum(mesh)

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
