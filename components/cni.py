"""Istio's CNI plugin: it runs on every node and replaces the privileged init container of every pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from mesh.core.names import CNI, CNI_CONFIG, CNI_NODE
from mesh.releases.release import Installation

core, meta = k8s.core.v1, k8s.meta.v1


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
        secrets = args.mesh.values.global_.imagePullSecrets
        account = kube.service_account(CNI, args.namespace, self._labels, secrets, self._child)
        config = core.ConfigMap(
            CNI_CONFIG,
            metadata=kube.metadata(CNI_CONFIG, args.namespace, self._labels),
            data=args.mesh.release.cni_config(args.mesh),
            opts=self._child,
        )
        self._daemons([account, config, *self._permissions()])
        self.register_outputs({})

    def _permissions(self) -> list[pulumi.Resource]:
        mesh, namespace = self._args.mesh, self._args.namespace
        roles = mesh.release.roles
        bindings: list[pulumi.Resource] = [
            rbac.grant_on_cluster(self, CNI, rbac.rules(roles.cni), CNI, namespace, self._labels)
        ]
        if self._cni.repair.enabled:
            granted = rbac.grant_on_cluster(
                self,
                "istio-cni-repair-role",
                rbac.rules(roles.repair),
                CNI,
                namespace,
                self._labels,
                binding="istio-cni-repair-rolebinding",
                binding_labels={"k8s-app": "istio-cni-repair", **mesh.labels},
            )
            bindings.append(granted)
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
        app = {"k8s-app": CNI_NODE}
        pod: Any = self._args.mesh.release.cni_pod(self._args.mesh)
        rolling = k8s.apps.v1.RollingUpdateDaemonSetArgs(max_unavailable=1)
        return k8s.apps.v1.DaemonSet(
            CNI_NODE,
            metadata=kube.metadata(CNI_NODE, self._args.namespace, {**app, **self._args.mesh.labels}),
            spec=k8s.apps.v1.DaemonSetSpecArgs(
                selector=meta.LabelSelectorArgs(match_labels=app),
                update_strategy=k8s.apps.v1.DaemonSetUpdateStrategyArgs(type="RollingUpdate", rolling_update=rolling),
                template=pod,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
