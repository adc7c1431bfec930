"""RBAC rules, role references and subjects, from the tables of a release's roles."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

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


def role_ref(kind: str, name: str) -> k8s.rbac.v1.RoleRefArgs:
    """The `roleRef` of a binding; `kind` is `Role` or `ClusterRole`."""
    return k8s.rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind=kind, name=name)


def subjects(name: str, namespace: pulumi.Input[str] | None = None) -> list[k8s.rbac.v1.SubjectArgs]:
    """The subjects of a binding: one service account, by default of the binding's namespace."""
    return [k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=name, namespace=namespace)]
