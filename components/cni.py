"""Istio's CNI plugin, which runs on every node and replaces the privileged init container of every pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from mesh.core.names import CNI, CNI_NODE
from mesh.releases.release import Installation

core = k8s.core.v1


@dataclass(frozen=True, kw_only=True)
class CniArgs:
    """Arguments of Cni."""

    mesh: Installation
    namespace: pulumi.Input[str]
    """Name of the namespace in which it runs, known when that exists."""


def install(mesh: Installation, namespaces: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions) -> None:
    """Installs the plugin if the values enable it. Its namespace may be `kube-system`, which no stack declares."""
    if mesh.values.cni.enabled:
        namespace = mesh.values.cni.namespace or mesh.root
        Cni("cni", CniArgs(mesh=mesh, namespace=namespaces.get(namespace, namespace)), opts)


class Cni(pulumi.ComponentResource):
    """The DaemonSet that installs the plugin and repairs pods that started before it; its account and config."""

    def __init__(self, name: str, args: CniArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Cni", name, None, opts)
        self._args, self._cni = args, args.mesh.values.cni
        self._labels = {"app": CNI, **args.mesh.labels}
        self._child = pulumi.ResourceOptions(parent=self)
        mesh = args.mesh
        permissions = self._permissions() if mesh.on_cluster else []
        if mesh.in_namespaces:
            self._daemons([*self._documents(), *permissions])
        if self._cni.provider == "multus" and mesh.in_namespaces:
            self._attachment()
        self.register_outputs({})

    def _documents(self) -> list[pulumi.Resource]:
        """The account, the configuration, and the quota if there is one."""
        mesh, namespace = self._args.mesh, self._args.namespace
        account = kube.service_account(CNI, namespace, self._labels, mesh.values.global_.imagePullSecrets, self._child)
        configs = [
            core.ConfigMap(name, metadata=kube.metadata(name, namespace, self._labels), data=data, opts=self._child)
            for name, data in mesh.release.cni_config(mesh).items()
        ]
        return [
            account,
            *configs,
            *kube.quota(f"{CNI}-resource-quota", namespace, {}, self._cni.resourceQuotas, self._child),
        ]

    def _permissions(self) -> list[pulumi.Resource]:
        mesh, namespace = self._args.mesh, self._args.namespace
        bindings: list[pulumi.Resource] = [
            rbac.grant_on_cluster(
                self,
                grant.role,
                rbac.rules(grant.rules),
                CNI,
                namespace,
                self._labels,
                binding=grant.binding,
                binding_labels={**grant.binding_labels, **mesh.labels} if grant.binding_labels else None,
            )
            for grant in mesh.release.roles.cni(mesh)
        ]
        if self._cni.psp_cluster_role:
            name = "istio-cni-psp"
            binding = k8s.rbac.v1.RoleBinding(
                name,
                metadata=kube.metadata(name, namespace, mesh.labels),
                role_ref=rbac.role_ref("ClusterRole", self._cni.psp_cluster_role),
                subjects=rbac.subjects(CNI, namespace),
                opts=self._child,
            )
            bindings.append(binding)
        return bindings

    def _daemons(self, after: list[pulumi.Resource]) -> k8s.apps.v1.DaemonSet:
        mesh, app = self._args.mesh, {"k8s-app": CNI_NODE}
        labels = {**app, **mesh.labels, **self._cni.daemonSetLabels}
        pod: Any = mesh.release.cni_pod(mesh)
        opts = pulumi.ResourceOptions(parent=self, depends_on=after)
        return kube.daemon_set(CNI_NODE, self._args.namespace, labels, app, pod, self._cni.updateStrategy, opts)

    def _attachment(self) -> k8s.apiextensions.CustomResource:
        """The object with which pods in any namespace ask Multus for the plugin."""
        return k8s.apiextensions.CustomResource(
            CNI,
            api_version="k8s.cni.cncf.io/v1",
            kind="NetworkAttachmentDefinition",
            metadata=kube.metadata(CNI, "default"),
            opts=self._child,
        )
