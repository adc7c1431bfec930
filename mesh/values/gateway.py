"""Settings of a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

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
from mesh.core.typed import Documented
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


class SecretVolume(Documented):
    """A volume with the files of a Secret, which need not exist."""

    name: Name
    """Name of the volume."""
    secretName: str
    """Name of the Secret, in the gateway's namespace."""
    mountPath: str
    """Path in the proxy's container at which the volume is mounted."""


class ConfigVolume(Documented):
    """A volume with the files of a ConfigMap, which need not exist."""

    name: Name
    """Name of the volume."""
    configMapName: str
    """Name of the ConfigMap, in the gateway's namespace."""
    mountPath: str = ""
    """Path in the proxy's container at which the volume is mounted; not mounted if empty."""


class ServiceAccount(Documented):
    """The service account of a gateway."""

    annotations: Annotations = {}
    """Annotations of the service account."""


class InjectedGateways(Documented):
    """Pods of gateways whose proxy is injected, and of those that istiod deploys: Istio's `gateways.securityContext`
    and `gateways.seccompProfile`."""

    securityContext: dict[str, Any] = {}
    """Security context of the pods; the least privileges that ports 80 and 443 need if empty."""
    seccompProfile: SeccompProfile = {}
    """Seccomp profile of the pods, such as `type: RuntimeDefault`."""


class Gateway(Workload):
    """A gateway: a Deployment of Istio's proxy, and its Service."""

    enabled: bool = True
    """Whether the gateway is installed."""
    kind: Kind = "ingress"
    """Direction of the traffic. A new gateway has the defaults of Istio's own gateway of this kind: Service type,
    ports, certificate volumes."""
    namespace: Name | None = None
    """Namespace of the gateway; Istio's if not set. Others must be declared in `namespaces` or
    `injectedNamespaces`."""
    revision: SomeRevision = ""
    """Revision of the control plane that configures it, or a tag that stands for one; that of the stack's own keys if
    not set."""
    labels: Labels = {}
    """Labels of the pods, by which the Service and Gateway objects select them. Defaults: `app`, the gateway's name,
    and `istio`, the name without the prefix `istio-`."""
    type: ServiceType = "LoadBalancer"
    """Type of the Service."""
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
    serviceAccount: ServiceAccount = ServiceAccount()
    """The service account."""
    resources: ResourcesOrNull = PROXY_RESOURCES
    """Resource requests and limits of the proxy; null for `global.defaultResources`."""
    runAsRoot: bool = False
    """Whether the proxy runs as root, to bind ports below 1024."""
    secretVolumes: tuple[SecretVolume, ...] = ()
    """Secrets to mount into the proxy's container."""
    configVolumes: tuple[ConfigVolume, ...] = ()
    """ConfigMaps to mount into the proxy's container."""
    additionalContainers: tuple[dict[str, Any], ...] = ()
    """Further containers of the pods."""

    def _contradictions(self) -> Iterator[str]:
        yield from super()._contradictions()
        names = [port.name for port in self.ports]
        if twice := next((name for name in names if names.count(name) > 1), None):
            yield f"two ports are called {twice}"
        if self.type != "LoadBalancer" and (self.loadBalancerIP or self.loadBalancerSourceRanges):
            yield f"loadBalancerIP and loadBalancerSourceRanges are for a LoadBalancer, this is a {self.type}"
        if self.type == "ClusterIP" and self.externalTrafficPolicy:
            yield "externalTrafficPolicy is for a NodePort or LoadBalancer, this is a ClusterIP"
        if self.type == "ClusterIP" and any(port.nodePort for port in self.ports):
            yield "a ClusterIP Service has no node ports: choose NodePort or LoadBalancer"

    def selector(self, name: str) -> Mapping[str, str]:
        """The labels that select the pods of the gateway with this name."""
        return {"app": name, "istio": name.removeprefix("istio-"), **self.labels}

    @staticmethod
    def service_account(name: str) -> str:
        """Name of the service account of the gateway with this name."""
        return f"{name}-service-account"
