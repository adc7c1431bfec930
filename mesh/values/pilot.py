"""Settings of the control plane: istiod on this cluster, or an istiod on another cluster."""

from __future__ import annotations

from pydantic import Field

from mesh.core.kubernetes import Labels, Resources, Url
from mesh.core.typed import Documented
from mesh.values.workload import Workload


class Base(Documented):
    """Cluster-wide objects, which all control planes on a cluster share."""

    enabled: bool = True
    """Whether they are installed: root namespace, custom resource definitions, accounts, roles, validation webhook."""


class Pilot(Workload):
    """The control plane, istiod."""

    enabled: bool = True
    """Whether istiod runs on this cluster."""
    image: str = "pilot"
    """Name of the image in `hub`; with a slash, a full reference."""
    resources: Resources = Resources(requests={"cpu": "500m", "memory": "2048Mi"})
    """Resource requests and limits of istiod."""
    replicaCount: int | None = Field(default=1, ge=0)
    """Number of pods if `autoscaleEnabled` is false."""
    traceSampling: float = Field(default=1.0, ge=0, le=100)
    """Percentage of requests that are traced, from 0 to 100."""
    deploymentLabels: Labels = {}
    """Labels of the Deployment, in addition to Istio's own."""
    enableProtocolSniffingForOutbound: bool = True
    """Whether sidecars detect the protocol of outbound traffic to ports that name none."""
    enableProtocolSniffingForInbound: bool = True
    """Whether sidecars detect the protocol of inbound traffic at ports that name none."""
    keepaliveMaxServerConnectionAge: str = Field(default="30m", pattern=r"^([0-9.]+(ns|us|ms|s|m|h))+$")
    """Maximum age of a connection between a proxy and istiod, such as `30m`; the proxy then reconnects, maybe to
    another pod."""
    configMap: bool = True
    """Whether the ConfigMap with the mesh configuration is installed."""


class IstiodRemote(Documented):
    """Access to an istiod on another cluster, for a cluster without its own."""

    enabled: bool = False
    """Whether this cluster uses an istiod on another one. It then gets the injection webhook without istiod."""
    injectionURL: Url = ""
    """URL of the injection webhook, `https://…`; the Service `istiod` in `istio-system` if empty."""
