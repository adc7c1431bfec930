"""RBAC roles and their bindings, from tables of policy rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.releases.release import Installation
from mesh.releases.roles import Account, PolicyRules


def service_account(
    mesh: Installation, account: Account, namespace: pulumi.Input[str], parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """The service account in Istio's namespace; none if the installation leaves out objects in namespaces."""
    if not mesh.in_namespaces:
        return []
    secrets, child = mesh.values.global_.imagePullSecrets, pulumi.ResourceOptions(parent=parent)
    return [kube.service_account(account.name, namespace, account.labels, secrets, child, account.annotations)]


def roles(
    mesh: Installation, account: Account, namespace: pulumi.Input[str], parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Grants the account its cluster roles and its roles in Istio's namespace, if the installation has such objects.
    Returns the bindings."""
    on_cluster = account.on_cluster if mesh.on_cluster else {}
    in_namespace = account.in_namespace if mesh.in_namespaces else {}
    return [
        *(
            grant_on_cluster(parent, role, rules(table), account.name, mesh.root, account.labels)
            for role, table in on_cluster.items()
        ),
        *(
            grant_in_namespace(
                parent, role, rules(table), account.name, namespace, account.labels, account_namespace=mesh.root
            )
            for role, table in in_namespace.items()
        ),
    ]


def of_control_plane(
    mesh: Installation, namespace: pulumi.Input[str], parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Creates istiod's account and the roles if each control plane has its own. Returns what istiod needs."""
    chosen = mesh.release.roles
    if not chosen.revisioned:
        return []
    if reader := chosen.reader(mesh):
        roles(mesh, reader, namespace, parent)
    istiod = chosen.istiod(mesh)
    if istiod is None:
        return []
    return [*service_account(mesh, istiod, namespace, parent), *roles(mesh, istiod, namespace, parent)]


def rules(table: PolicyRules) -> list[k8s.rbac.v1.PolicyRuleArgs]:
    """The policy rules of a table."""
    return [
        k8s.rbac.v1.PolicyRuleArgs(
            api_groups=["" if group == "core" else group for group in groups.split()],
            resources=resources.split(),
            resource_names=names[0].split() if names else None,
            verbs=verbs.split(),
        )
        for groups, resources, verbs, *names in table
    ]


def grant_on_cluster(
    parent: pulumi.Resource,
    role: str,
    permissions: list[k8s.rbac.v1.PolicyRuleArgs],
    account: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    binding: str = "",
    binding_labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> k8s.rbac.v1.ClusterRoleBinding:
    """A ClusterRole and its binding to a service account of `namespace`; returns the binding.

    The binding has the role's name and labels, unless `binding` and `binding_labels` are given. Kubernetes does not let
    a binding change its role, so a role with another name needs a binding with another name."""
    made = k8s.rbac.v1.ClusterRole(
        role,
        metadata=kube.metadata(role, labels=labels, annotations=annotations),
        rules=permissions,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    name = binding or role
    return k8s.rbac.v1.ClusterRoleBinding(
        name,
        metadata=kube.metadata(name, labels=binding_labels or labels, annotations=annotations),
        role_ref=role_ref("ClusterRole", role),
        subjects=subjects(account, namespace),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[made, *after]),
    )


def grant_in_namespace(
    parent: pulumi.Resource,
    role: str,
    permissions: list[k8s.rbac.v1.PolicyRuleArgs],
    account: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    account_namespace: pulumi.Input[str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> k8s.rbac.v1.RoleBinding:
    """A Role in `namespace` and its binding to a service account, by default of the same namespace; returns the
    binding."""
    metadata = kube.metadata(role, namespace, labels, annotations)
    made = k8s.rbac.v1.Role(role, metadata=metadata, rules=permissions, opts=pulumi.ResourceOptions(parent=parent))
    return k8s.rbac.v1.RoleBinding(
        role,
        metadata=metadata,
        role_ref=role_ref("Role", role),
        subjects=subjects(account, account_namespace),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[made]),
    )


def role_ref(kind: str, name: str) -> k8s.rbac.v1.RoleRefArgs:
    """The `roleRef` of a binding; `kind` is `Role` or `ClusterRole`."""
    return k8s.rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind=kind, name=name)


def subjects(name: str, namespace: pulumi.Input[str] | None = None) -> list[k8s.rbac.v1.SubjectArgs]:
    """The subjects of a binding: one service account, by default of the binding's namespace."""
    return [k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=name, namespace=namespace)]
