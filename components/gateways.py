"""Ingress and egress gateways: Istio's proxy at the edge of the mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac, workloads
from components.controlplane import ControlPlane
from mesh.config.settings import Settings
from mesh.core.merge import merged
from mesh.releases.release import Installation
from mesh.values.cni import UpdateStrategy
from mesh.values.gateway import Gateway as Spec

core, meta = k8s.core.v1, k8s.meta.v1


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """Arguments of Gateway."""

    mesh: Installation
    spec: Spec
    namespace: pulumi.Input[str]
    """Name of its namespace, known when that exists."""
    control_plane: Sequence[pulumi.Resource]
    """istiod, without which the proxy gets no configuration and never becomes ready; also the injection webhooks if the
    proxy is injected."""
    moves: pulumi.ResourceHook | None = None
    """The hook that replaces the pods when the control plane changes; None without a cluster."""


def install(
    settings: Settings,
    namespaces: Mapping[str, pulumi.Input[str]],
    control_planes: Mapping[str, ControlPlane],
    moves: pulumi.ResourceHook | None,
    opts: pulumi.ResourceOptions,
) -> dict[str, Gateway]:
    """Installs every gateway that the values enable, and returns them by name. `control_planes`: by revision."""
    made = {}
    for name, spec in settings.gateways.items():
        if spec.enabled:
            mesh = settings.control_plane_of(spec.revision)
            plane, namespace = control_planes[mesh.revision], namespaces[spec.namespace or mesh.root]
            ready = plane.injecting if spec.is_injected else plane.serving
            args = GatewayArgs(mesh=mesh, spec=spec, namespace=namespace, control_plane=ready, moves=moves)
            made[name] = Gateway(name, args, opts)
    return made


class Gateway(pulumi.ComponentResource):
    """One gateway: a Deployment of proxies with its Service, account, autoscaler and disruption budget."""

    service: core.Service | None
    """None if a Service that the stack does not manage leads to it."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Gateway", name, None, opts)
        self._name, self._args = name, args
        self._selector = args.spec.selector(name)
        self._labels = {**self._selector, **args.mesh.labels, **args.spec.other_labels}
        self._child = pulumi.ResourceOptions(parent=self)
        self.service = None if args.spec.customService else self._service()
        permissions = self._permissions()
        pods = self._pods([*permissions, *args.control_plane])
        if workloads.budgeted(args.mesh, args.spec):
            workloads.disruption_budget(name, args.namespace, self._labels, self._selector, args.spec, self._child)
        if args.spec.autoscaleEnabled and not args.spec.daemonSet:
            after = pulumi.ResourceOptions(parent=self, depends_on=[pods])
            workloads.autoscaler(name, args.namespace, self._labels, args.spec, after, args.spec.annotations)
        self.register_outputs({})

    @property
    def address(self) -> pulumi.Output[dict[str, Any]]:
        """Service type, addresses and node ports, as the cluster has assigned them."""
        if self.service is None:
            return pulumi.Output.from_input({})
        return pulumi.Output.all(self.service.spec, self.service.status).apply(lambda service: _address_of(*service))

    def _permissions(self) -> list[pulumi.Resource]:
        """The service account, and the right to read the Secrets with certificates."""
        a, spec = self._args, self._args.spec
        account, granted = spec.service_account(self._name), rbac.rules(a.mesh.release.roles.gateway)
        made: list[pulumi.Resource] = []
        if spec.serviceAccount.create:
            secrets, notes = a.mesh.values.global_.imagePullSecrets, spec.serviceAccount.annotations
            owned = kube.service_account(account, a.namespace, self._labels, secrets, self._child, notes)
            made.append(owned)
        if spec.rbac.enabled:
            role, labels, notes = spec.role(self._name), a.mesh.labels, spec.annotations
            binding = rbac.grant_in_namespace(self, role, granted, account, a.namespace, labels, annotations=notes)
            made.append(binding)
        return made

    def _pods(self, after: Sequence[pulumi.Resource]) -> k8s.apps.v1.Deployment | k8s.apps.v1.DaemonSet:
        """The Deployment, or the DaemonSet, of the pods."""
        a = self._args
        pod: Any = a.mesh.release.gateway_pod(a.mesh, self._name, a.spec)
        labels = {**self._labels, **a.mesh.release.gateway_labels}
        hooks = pulumi.ResourceHookBinding(before_update=[a.moves]) if a.moves else None
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(after), hooks=hooks)
        if a.spec.daemonSet:
            updates, notes = UpdateStrategy(), a.spec.annotations
            return kube.daemon_set(self._name, a.namespace, labels, self._selector, pod, updates, opts, notes)
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, a.namespace, labels, a.spec.annotations),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=a.spec.replicas,
                strategy=workloads.strategy(a.spec),
                min_ready_seconds=a.spec.minReadySeconds,
                selector=meta.LabelSelectorArgs(match_labels=self._selector),
                template=pod,
            ),
            opts=opts,
        )

    def _service(self) -> core.Service:
        spec = self._args.spec
        ports = [
            core.ServicePortArgs(
                name=port.name,
                port=port.port,
                target_port=port.container,
                protocol=port.protocol,
                node_port=port.nodePort,
            )
            for port in spec.ports
        ]
        fields: dict[str, Any] = {
            "type": spec.type,
            "selector": self._selector,
            "ports": ports,
            "load_balancer_ip": spec.loadBalancerIP or None,
            "load_balancer_source_ranges": list(spec.loadBalancerSourceRanges) or None,
            "external_traffic_policy": spec.externalTrafficPolicy or None,
            "ip_family_policy": spec.ipFamilyPolicy or None,
            "ip_families": list(spec.ipFamilies) or None,
        }
        wanted, a = core.ServiceSpecArgs(**merged(fields, kube.arguments(spec.service))), self._args
        labels = {**self._labels, **spec.network_labels}
        notes = {**spec.annotations, **spec.serviceAnnotations}
        return kube.service(self._name, a.namespace, labels, wanted, self._child, notes)


def address(service_type: str, node_ports: Mapping[str, int | None], addresses: Sequence[str]) -> dict[str, Any]:
    """`type`, `addresses` and `nodePorts` of a gateway's Service; empty ones are left out."""
    ports = {name: port for name, port in node_ports.items() if port}
    found = {"type": service_type, "addresses": list(addresses), "nodePorts": ports}
    return {key: value for key, value in found.items() if value}


def _address_of(spec: Mapping[str, Any], status: Mapping[str, Any] | None) -> dict[str, Any]:
    """The address of a Service as Pulumi returns it: mappings with snake_case keys."""
    ingress = ((status or {}).get("load_balancer") or {}).get("ingress") or []
    return address(
        spec["type"],
        {port["name"]: port.get("node_port") for port in spec["ports"]},
        [point.get("ip") or point["hostname"] for point in ingress],
    )
