"""Settings of the control plane: istiod, or what stands in for one that runs elsewhere."""

from __future__ import annotations

from pydantic import Field

from mesh.core.kubernetes import Labels, Resources, Url
from mesh.core.typed import Documented
from mesh.values.workload import Workload


class Base(Documented):
    """What every control plane on a cluster shares."""

    enabled: bool = True
    """Whether it is installed: namespace, custom resource definitions, accounts and roles, validation."""


class Pilot(Workload):
    """The control plane, istiod."""

    enabled: bool = True
    """Whether istiod runs on this cluster."""
    image: str = "pilot"
    """An image of the hub; with a slash: a full reference."""
    resources: Resources = Resources(requests={"cpu": "500m", "memory": "2048Mi"})
    """Requests and limits of the container."""
    replicaCount: int | None = Field(default=1, ge=0)
    """Number of pods without an autoscaler."""
    traceSampling: float = Field(default=1.0, ge=0, le=100)
    """Per cent of requests that are traced."""
    deploymentLabels: Labels = {}
    """Labels of the Deployment beside Istio's own."""
    enableProtocolSniffingForOutbound: bool = True
    """Whether the protocol of outbound ports that do not name one is found out."""
    enableProtocolSniffingForInbound: bool = True
    """Whether the protocol of inbound ports that do not name one is found out."""
    keepaliveMaxServerConnectionAge: str = Field(default="30m", pattern=r"^([0-9.]+(ns|us|ms|s|m|h))+$")
    """How long proxies stay connected to one istiod before they look for another."""
    configMap: bool = True
    """Whether the mesh configuration is installed as a ConfigMap."""


class IstiodRemote(Documented):
    """A control plane that runs on another cluster: what a cluster without istiod needs."""

    enabled: bool = False
    """Whether it is installed: the injection webhook, and what else the settings leave on."""
    injectionURL: Url = ""
    """Where the injector answers, `https://…`; the Service `istiod` of Istio's namespace if empty."""
