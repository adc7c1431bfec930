"""ztunnel, the node proxy of ambient mode: it runs on every node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import kube, rbac
from mesh.releases.release import Installation, PodTemplate


@dataclass(frozen=True, kw_only=True)
class ZtunnelArgs:
    """Arguments of Ztunnel."""

    mesh: Installation
    pod: PodTemplate
    namespace: pulumi.Input[str]
    """Name of the namespace in which it runs, known when that exists."""
    control_plane: Sequence[pulumi.Resource]
    """istiod, without which ztunnel never becomes ready, and which must outlive it."""


def install(
    mesh: Installation,
    namespaces: Mapping[str, pulumi.Input[str]],
    control_plane: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """Installs ztunnel if the values enable it. Its namespace may be `kube-system`, which no stack declares."""
    if mesh.values.ztunnel.enabled and mesh.release.ztunnel_pod:
        name, pod = mesh.values.ztunnel.namespace or mesh.root, mesh.release.ztunnel_pod(mesh)
        args = ZtunnelArgs(mesh=mesh, pod=pod, namespace=namespaces.get(name, name), control_plane=control_plane)
        Ztunnel("ztunnel", args, opts)


class Ztunnel(pulumi.ComponentResource):
    """The DaemonSet of ztunnel, its account, and the roles and quota that some platforms require."""

    def __init__(self, name: str, args: ZtunnelArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Ztunnel", name, None, opts)
        self._mesh, self._namespace, self._wanted = args.mesh, args.namespace, args.mesh.values.ztunnel
        self._pod: Any = args.pod
        revision = args.mesh.labels if args.mesh.values.revision else {}
        self._annotations = {**self._wanted.annotations, **revision}
        self._child = pulumi.ResourceOptions(parent=self)
        permissions = self._permissions() if args.mesh.on_cluster else []
        if args.mesh.in_namespaces:
            self._daemons([*args.control_plane, *permissions])
        self.register_outputs({})

    def _permissions(self) -> list[pulumi.Resource]:
        table, wanted = self._mesh.release.roles.ztunnel(self._mesh), self._wanted
        if not table:
            return []
        return [
            rbac.grant_on_cluster(
                self,
                wanted.name,
                rbac.rules(table),
                wanted.name,
                self._namespace,
                {"app": "ztunnel"},
                annotations=self._annotations,
            )
        ]

    def _daemons(self, after: Sequence[pulumi.Resource]) -> None:
        mesh, wanted, namespace = self._mesh, self._wanted, self._namespace
        account = kube.service_account(
            wanted.name,
            namespace,
            wanted.labels,
            mesh.values.global_.imagePullSecrets,
            self._child,
            self._annotations,
        )
        quota = kube.quota(wanted.name, namespace, wanted.labels, wanted.resourceQuotas, self._child)
        kube.daemon_set(
            wanted.name,
            namespace,
            wanted.labels,
            {"app": "ztunnel"},
            self._pod,
            wanted.updateStrategy,
            pulumi.ResourceOptions(parent=self, depends_on=[account, *quota, *after]),
            self._annotations,
        )
