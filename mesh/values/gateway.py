"""Settings of one gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pydantic import Field

from mesh.core.kubernetes import Cidr, Labels, Name, PortNumber, Resources, ServiceType
from mesh.core.typed import Documented
from mesh.values.workload import Workload

Kind = Literal["ingress", "egress"]

PROXY_RESOURCES: Final = Resources(
    requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
)
"""What Istio grants a proxy, be it a gateway or a sidecar."""


class Port(Documented):
    """A port of a gateway's Service."""

    name: Name
    """Its name, unique among the ports."""
    port: PortNumber
    """Port of the Service."""
    targetPort: PortNumber | None = None
    """Port of the pods, on which Gateway objects listen; the same if not set."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """What is spoken on it."""
    nodePort: PortNumber | None = None
    """Port on every node; the cluster chooses one if not set."""

    @property
    def container(self) -> int:
        """The port on which the proxy listens."""
        return self.targetPort or self.port


class SecretVolume(Documented):
    """Files of an optional Secret."""

    name: Name
    """The volume's name."""
    secretName: str
    """The Secret, in the gateway's namespace."""
    mountPath: str
    """Where the proxy finds its files."""


class ConfigVolume(Documented):
    """Files of an optional ConfigMap."""

    name: Name
    """The volume's name."""
    configMapName: str
    """The ConfigMap, in the gateway's namespace."""
    mountPath: str = ""
    """Where the proxy finds its files; empty: it is not mounted."""


class Gateway(Workload):
    """One gateway: a Deployment of Istio's proxy and the Service before it."""

    enabled: bool = True
    """Whether it is installed."""
    kind: Kind = "ingress"
    """Which way the traffic goes. What is not set is as in Istio's own gateway of the kind: Service type, ports,
    certificates."""
    namespace: Name | None = None
    """Istio's own if not set; another one must be declared in `namespaces` or `injectedNamespaces`."""
    labels: Labels = {}
    """Labels by which its Service, and Gateway objects, select the pods. `app`, the gateway's name, and `istio`, the
    name without `istio-`, are there unless set."""
    type: ServiceType = "LoadBalancer"
    """Type of its Service."""
    ports: tuple[Port, ...] = Field(default=(), min_length=1)
    """Ports of its Service. A list replaces the list that was there."""
    loadBalancerIP: str = ""
    """Address to ask the load balancer for."""
    loadBalancerSourceRanges: tuple[Cidr, ...] = ()
    """From where the load balancer lets clients in; from everywhere if empty."""
    externalTrafficPolicy: Literal["", "Cluster", "Local"] = ""
    """`Local` keeps the clients' addresses."""
    resources: Resources = PROXY_RESOURCES
    """Requests and limits of the proxy."""
    runAsRoot: bool = False
    """Whether the proxy may bind ports below 1024, as root."""
    secretVolumes: tuple[SecretVolume, ...] = ()
    """Secrets with files for the proxy."""
    configVolumes: tuple[ConfigVolume, ...] = ()
    """ConfigMaps with files for the proxy."""

    def _contradictions(self) -> Iterator[str]:
        yield from super()._contradictions()
        names = [port.name for port in self.ports]
        if twice := next((name for name in names if names.count(name) > 1), None):
            yield f"two ports are called {twice}"
        if self.type != "LoadBalancer" and (self.loadBalancerIP or self.loadBalancerSourceRanges):
            yield f"loadBalancerIP and loadBalancerSourceRanges are for a LoadBalancer, this is a {self.type}"
        if self.type == "ClusterIP" and self.externalTrafficPolicy:
            yield "externalTrafficPolicy is for what is reached from outside, this is a ClusterIP"
        if self.type == "ClusterIP" and any(port.nodePort for port in self.ports):
            yield "a ClusterIP Service has no node ports: choose NodePort or LoadBalancer"

    def selector(self, name: str) -> Mapping[str, str]:
        """The labels of the pods of the gateway called `name`."""
        return {"app": name, "istio": name.removeprefix("istio-"), **self.labels}

    @staticmethod
    def service_account(name: str) -> str:
        """The service account of the gateway called `name`."""
        return f"{name}-service-account"
