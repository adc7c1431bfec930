"""NetworkPolicies of Istio's own pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.releases.policies import NetworkPolicy, PortGroup
from mesh.releases.release import Installation

networking = k8s.networking.v1


def install(
    meshes: Iterable[Installation], namespaces: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> None:
    """Installs the policies that the values of the control planes enable."""
    if wanted := [policy for mesh in meshes for policy in mesh.release.network_policies(mesh)]:
        NetworkPolicies("network-policies", wanted, namespaces, opts)


class NetworkPolicies(pulumi.ComponentResource):
    """One policy for each part of the installation."""

    def __init__(
        self,
        name: str,
        wanted: list[NetworkPolicy],
        namespaces: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mesh:istio:NetworkPolicies", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for policy in wanted:
            namespace = namespaces.get(policy.namespace, policy.namespace)
            networking.NetworkPolicy(
                policy.name,
                metadata=kube.metadata(policy.name, namespace, policy.labels),
                spec=networking.NetworkPolicySpecArgs(
                    pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(policy.pods)),
                    policy_types=["Ingress", "Egress"],
                    ingress=[_admitted(group) for group in policy.ports],
                    egress=[networking.NetworkPolicyEgressRuleArgs()],
                ),
                opts=child,
            )
        self.register_outputs({})


def _admitted(ports: PortGroup) -> k8s.networking.v1.NetworkPolicyIngressRuleArgs:
    return networking.NetworkPolicyIngressRuleArgs(
        ports=[networking.NetworkPolicyPortArgs(port=port, protocol=protocol) for port, protocol in ports]
    )
