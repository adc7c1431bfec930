"""Tables of a release's roles as Kubernetes' own objects."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from mesh.releases.roles import PolicyRules


def rules(table: PolicyRules) -> list[k8s.rbac.v1.PolicyRuleArgs]:
    """The table as Kubernetes' policy rules."""
    return [
        k8s.rbac.v1.PolicyRuleArgs(
            api_groups=["" if group == "core" else group for group in groups.split()],
            resources=resources.split(),
            resource_names=names[0].split() if names else None,
            verbs=verbs.split(),
        )
        for groups, resources, verbs, *names in table
    ]


def reference(kind: str, name: str) -> k8s.rbac.v1.RoleRefArgs:
    """A binding's role, of kind `Role` or `ClusterRole`."""
    return k8s.rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind=kind, name=name)


def account(name: str, namespace: pulumi.Input[str] | None = None) -> list[k8s.rbac.v1.SubjectArgs]:
    """A binding's subjects: one service account; without a namespace, the binding's own."""
    return [k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=name, namespace=namespace)]
