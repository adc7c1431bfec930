"""Settings of a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pydantic import Field

from mesh.core.kubernetes import (
    Annotations,
    Cidr,
    Labels,
    Name,
    PortNumber,
    Resources,
    ResourcesOrNull,
    SeccompProfile,
    ServiceType,
)
from mesh.core.kubernetes_types import PodSecurityContext
from mesh.core.names import NETWORK_LABEL
from mesh.core.typed import Documented
from mesh.values.gateway_pods import GatewayPods, Rbac, ServiceAccount
from mesh.values.revision import SomeRevision
from mesh.values.workload import IpFamilies, IpFamilyPolicy, Workload

Kind = Literal["ingress", "egress"]

PROXY_RESOURCES: Final = Resources(
    requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
)
"""Default requests and limits of a proxy, in gateways and sidecars."""


class Port(Documented):
    """A port of a gateway's Service."""

    name: Name
    """Name of the port, unique in the Service."""
    port: PortNumber
    """Port of the Service."""
    targetPort: PortNumber | None = None
    """Port of the pods, which is the one that Gateway objects name; the same as `port` if not set."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Transport protocol."""
    nodePort: PortNumber | None = None
    """Port on every node, for the types NodePort and LoadBalancer; the cluster chooses one if not set."""

    @property
    def container(self) -> int:
        """The container port, on which the proxy listens."""
        return self.targetPort or self.port


class InjectedGateways(Documented):
    """Pods of gateways whose proxy is injected, and of those that istiod deploys: Istio's `gateways.securityContext`
    and `gateways.seccompProfile`."""

    securityContext: PodSecurityContext = {}
    """Security context of the pods; the least privileges that ports 80 and 443 need if empty."""
    seccompProfile: SeccompProfile = {}
    """Seccomp profile of the pods, such as `type: RuntimeDefault`."""


class Gateway(GatewayPods):
    """A gateway: a Deployment of Istio's proxy, and its Service."""

    enabled: bool = True
    """Whether the gateway is installed."""
    kind: Kind = "ingress"
    """Direction of the traffic. A new gateway has the defaults of Istio's own gateway of this kind: Service type,
    ports, certificate volumes."""
    chart: Literal["gateways", "gateway"] = "gateways"
    """The chart of Istio that the gateway follows. `gateways`: as IstioOperator installs it. `gateway`: as the Helm
    chart `gateway` installs it, with an injected proxy, an account with the gateway's name, and ports below 1024
    without root."""
    namespace: Name | None = None
    """Namespace of the gateway; Istio's if not set. Others must be declared in `namespaces` or
    `injectedNamespaces`."""
    revision: SomeRevision = ""
    """Revision of the control plane that configures it, or a tag that stands for one; that of the stack's own keys if
    not set."""
    daemonSet: bool = False
    """Whether there is a pod on each node, by a DaemonSet in place of the Deployment and its autoscaler. Needs `chart:
    gateway`."""
    labels: Labels = {}
    """Labels of the pods, by which the Service and Gateway objects select them. Defaults: `app`, the gateway's name,
    and `istio`, the name without the prefix `istio-`. If `chart` is `gateway`, only these two select; others are labels
    of all of the gateway's objects."""
    type: ServiceType = "LoadBalancer"
    """Type of the Service."""
    customService: bool = False
    """Whether the Service comes from elsewhere; the stack then installs none."""
    ports: tuple[Port, ...] = Field(default=(), min_length=1)
    """Ports of the Service. The list replaces that of the profile."""
    loadBalancerIP: str = ""
    """IP address to request from the load balancer."""
    loadBalancerSourceRanges: tuple[Cidr, ...] = ()
    """Client IP ranges that the load balancer admits, in CIDR notation; all if empty."""
    externalTrafficPolicy: Literal["", "Cluster", "Local"] = ""
    """`Local` keeps the source addresses of clients and sends their traffic to pods on the same node; `Cluster`, the
    default of Kubernetes, does neither."""
    ipFamilyPolicy: IpFamilyPolicy = ""
    """IP families of the Service, one or both; the default of Kubernetes if empty."""
    ipFamilies: IpFamilies = ()
    """IP families of the Service, in order of preference."""
    annotations: Annotations = {}
    """Annotations of all of the gateway's objects, but not of its pods."""
    serviceAccount: ServiceAccount = ServiceAccount()
    """The service account."""
    rbac: Rbac = Rbac()
    """The role by which it reads Secrets."""
    resources: ResourcesOrNull = PROXY_RESOURCES
    """Resource requests and limits of the proxy; null for `global.defaultResources`."""
    runAsRoot: bool = False
    """Whether the proxy runs as root, to bind ports below 1024."""

    def _contradictions(self) -> Iterator[str]:
        yield from super()._contradictions()
        names = [port.name for port in self.ports]
        if twice := next((name for name in names if names.count(name) > 1), None):
            yield f"two ports are called {twice}"
        if self.type != "LoadBalancer" and (self.loadBalancerIP or self.loadBalancerSourceRanges):
            yield f"loadBalancerIP and loadBalancerSourceRanges are for a LoadBalancer, this is a {self.type}"
        if self.type == "ClusterIP" and self.externalTrafficPolicy:
            yield "externalTrafficPolicy is for a NodePort or LoadBalancer, this is a ClusterIP"
        for field in ("networkGateway", "daemonSet"):
            if getattr(self, field) and not self.as_chart_gateway:
                yield f"{field} is only for gateways that follow the chart `gateway`: set chart to gateway"
        if self.type == "ClusterIP" and any(port.nodePort for port in self.ports):
            yield "a ClusterIP Service has no node ports: choose NodePort or LoadBalancer"

    said_elsewhere = (
        *Workload.said_elsewhere,
        *("type", "ports", "loadBalancerIP", "loadBalancerSourceRanges", "externalTrafficPolicy"),
    )

    @property
    def is_injected(self) -> bool:
        """Whether its proxy is injected when a pod is created."""
        return self.as_chart_gateway or bool(self.injectionTemplate)

    @property
    def as_chart_gateway(self) -> bool:
        """Whether it follows the Helm chart `gateway`."""
        return self.chart == "gateway"

    def selector(self, name: str) -> Mapping[str, str]:
        """The labels that select the pods of the gateway with this name."""
        chosen = {"app": name, "istio": name.removeprefix("istio-")}
        return {**chosen, **{key: value for key, value in self.labels.items() if not self._is_apart(key)}}

    @property
    def other_labels(self) -> Mapping[str, str]:
        """The labels of its objects that no selector uses."""
        return {key: value for key, value in self.labels.items() if self._is_apart(key)}

    @property
    def wants_budget(self) -> bool | None:
        """The chart `gateway` has one only if its spec is given."""
        return bool(self.podDisruptionBudget) if self.as_chart_gateway else None

    @property
    def network_labels(self) -> Mapping[str, str]:
        """The label, of its pods and its Service, of the network to which it leads."""
        return {NETWORK_LABEL: self.networkGateway} if self.networkGateway else {}

    def role(self, name: str) -> str:
        """Name of the role by which the gateway with this name reads Secrets."""
        return self.service_account(name) if self.as_chart_gateway else f"{name}-sds"

    def _is_apart(self, key: str) -> bool:
        return self.as_chart_gateway and key not in ("app", "istio")

    def service_account(self, name: str) -> str:
        """Name of the service account of the gateway with this name."""
        usual = name if self.as_chart_gateway else f"{name}-service-account"
        return self.serviceAccount.name or (usual if self.serviceAccount.create else "default")
