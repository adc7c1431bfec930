"""Gateways: Istio's proxy at the edge of the mesh, for traffic that comes in or goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, profiles, rbac, sidecar, webhooks

core, meta = k8s.core.v1, k8s.meta.v1

PRODUCT_PAGE: Final = "/productpage"


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """What one gateway needs to know."""

    namespace: pulumi.Input[str]
    root: str
    """Istio's namespace as plain text."""
    spec: profiles.Gateway
    hub: str
    tag: str
    revision: str
    node_ports: Mapping[str, int] = field(default_factory=dict)
    """Fixed node ports by the name of the Service's port; the cluster chooses the others."""
    control_plane: Sequence[pulumi.Resource]
    """Without istiod the proxy has no configuration and does not get ready."""


class Gateway(pulumi.ComponentResource):
    """A Deployment of proxies and the Service before it, inwards or outwards."""

    service: core.Service
    deployment: k8s.apps.v1.Deployment

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Gateway", name, None, opts)
        self._name, self._args = name, args
        self._selector = {"app": name, "istio": args.spec.role}
        self._labels = {**self._selector, webhooks.REVISION_LABEL: args.revision}
        self._child = pulumi.ResourceOptions(parent=self)
        self.service = self._service()
        permissions = self._permissions()
        self.deployment = self._deployment([*permissions, *args.control_plane])
        kube.disruption_budget(name, args.namespace, self._labels, self._selector, self._child)
        if args.spec.autoscale:
            after = pulumi.ResourceOptions(parent=self, depends_on=[self.deployment])
            kube.autoscaler(name, args.namespace, self._labels, args.spec.autoscale, after)
        self.register_outputs({})

    @property
    def facts(self) -> pulumi.Output[dict[str, Any]]:
        """Service type, addresses and node ports, as the cluster has given them."""
        return pulumi.Output.all(self.service.spec, self.service.status).apply(lambda made: _facts(*made))

    def _permissions(self) -> list[pulumi.Resource]:
        """The account, and the right to read certificates."""
        a, account, role = self._args, f"{self._name}-service-account", f"{self._name}-sds"
        labels = {webhooks.REVISION_LABEL: a.revision}
        owned = core.ServiceAccount(
            account, metadata=kube.metadata(account, a.namespace, self._labels), opts=self._child
        )
        reads = k8s.rbac.v1.Role(
            role,
            metadata=kube.metadata(role, a.namespace, labels),
            rules=rbac.rules(rbac.GATEWAY),
            opts=self._child,
        )
        binding = k8s.rbac.v1.RoleBinding(
            role,
            metadata=kube.metadata(role, a.namespace, labels),
            role_ref=rbac.reference("Role", role),
            subjects=rbac.account(account),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[reads]),
        )
        return [owned, binding]

    def _deployment(self, after: Sequence[pulumi.Resource]) -> k8s.apps.v1.Deployment:
        a = self._args
        canonical = {
            "service.istio.io/canonical-name": self._name,
            "service.istio.io/canonical-revision": "latest",
            webhooks.INJECT_LABEL: "false",
        }
        annotations = {
            "prometheus.io/port": "15020",
            "prometheus.io/scrape": "true",
            "prometheus.io/path": "/stats/prometheus",
            webhooks.INJECT_LABEL: "false",
        }
        return k8s.apps.v1.Deployment(
            self._name,
            metadata=kube.metadata(self._name, a.namespace, self._labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                strategy=kube.rolling_update(),
                selector=meta.LabelSelectorArgs(match_labels=self._selector),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels={**self._labels, **canonical}, annotations=annotations),
                    spec=core.PodSpecArgs(
                        service_account_name=f"{self._name}-service-account",
                        affinity=_affinity(),
                        **self._proxy(),
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _proxy(self) -> dict[str, Any]:
        """The pod's containers, volumes and identity, as arguments of PodSpecArgs."""
        a = self._args
        pod = sidecar.gateway_pod(
            sidecar.ProxyArgs(
                name=self._name,
                namespace=a.root,
                istioNamespace=a.root,
                hub=a.hub,
                tag=a.tag,
                ports=tuple(port.targetPort for port in a.spec.ports),
                resources=a.spec.resources.model_dump(),
                env={"ISTIO_META_ROUTER_MODE": a.spec.routerMode},
                secretVolumes=sidecar.certificate_volumes(a.spec.role),
            )
        )
        return {
            "containers": pod["containers"],
            "volumes": pod["volumes"],
            "security_context": pod["securityContext"],
        }

    def _service(self) -> core.Service:
        a = self._args
        ports = [
            core.ServicePortArgs(
                name=port.name,
                port=port.port,
                target_port=port.targetPort,
                protocol="TCP",
                node_port=a.node_ports.get(port.name),
            )
            for port in a.spec.ports
        ]
        spec = core.ServiceSpecArgs(type=a.spec.serviceType, selector=self._selector, ports=ports)
        return kube.service(self._name, a.namespace, self._labels, spec, self._child)


def facts(service_type: str, node_ports: Mapping[str, int | None], addresses: Sequence[str]) -> dict[str, Any]:
    """What a person wants to know of a gateway's Service; without what it does not have."""
    ports = {name: port for name, port in node_ports.items() if port}
    found = {"type": service_type, "addresses": list(addresses), "nodePorts": ports}
    return {key: value for key, value in found.items() if value}


def _facts(spec: Mapping[str, Any], status: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of a Service as Pulumi gives it back: mappings with snake_case keys."""
    ingress = ((status or {}).get("load_balancer") or {}).get("ingress") or []
    return facts(
        spec["type"],
        {port["name"]: port.get("node_port") for port in spec["ports"]},
        [point.get("ip") or point["hostname"] for point in ingress],
    )


def product_page(gateway: Mapping[str, Any], host: str, node: str | None) -> str:
    """Where a browser finds Bookinfo, by the gateway's facts; `host` is its name inside the cluster, `node` a node's
    address. In words where nothing reaches it yet."""
    if gateway.get("type") == "LoadBalancer":
        addresses = gateway.get("addresses")
        return f"http://{addresses[0]}{PRODUCT_PAGE}" if addresses else "the load balancer has no address yet"
    if gateway.get("type") == "NodePort":
        port = gateway.get("nodePorts", {}).get("http2")
        return f"http://{node or '<address of a node>'}:{port}{PRODUCT_PAGE}"
    return f"http://{host}{PRODUCT_PAGE} (inside the cluster)"


def _affinity() -> core.AffinityArgs:
    """Only where the image runs; all three architectures are equally welcome."""
    architectures = ("amd64", "ppc64le", "s390x")

    def term(*names: str) -> core.NodeSelectorTermArgs:
        wanted = core.NodeSelectorRequirementArgs(key="kubernetes.io/arch", operator="In", values=list(names))
        return core.NodeSelectorTermArgs(match_expressions=[wanted])

    return core.AffinityArgs(
        node_affinity=core.NodeAffinityArgs(
            required_during_scheduling_ignored_during_execution=core.NodeSelectorArgs(
                node_selector_terms=[term(*architectures)]
            ),
            preferred_during_scheduling_ignored_during_execution=[
                core.PreferredSchedulingTermArgs(weight=2, preference=term(name)) for name in architectures
            ],
        )
    )
