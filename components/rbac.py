"""RBAC roles and their bindings, from tables of policy rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.releases.roles import PolicyRules


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
    after: Sequence[pulumi.Resource] = (),
) -> k8s.rbac.v1.ClusterRoleBinding:
    """A ClusterRole and its binding to a service account of `namespace`; returns the binding.

    The binding has the role's name and labels, unless `binding` and `binding_labels` are given. Kubernetes does not let
    a binding change its role, so a role with another name needs a binding with another name."""
    made = k8s.rbac.v1.ClusterRole(
        role,
        metadata=kube.metadata(role, labels=labels),
        rules=permissions,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    name = binding or role
    return k8s.rbac.v1.ClusterRoleBinding(
        name,
        metadata=kube.metadata(name, labels=binding_labels or labels),
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
) -> k8s.rbac.v1.RoleBinding:
    """A Role in `namespace` and its binding to a service account, by default of the same namespace; returns the
    binding."""
    metadata = kube.metadata(role, namespace, labels)
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
