"""What changed in tracing, in the installation itself, and in kinds of other projects that istiod reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.differences import Difference, Severity

_OPENTELEMETRY: Final = (
    "send spans by OpenTelemetry: an entry of mesh:meshConfig.extensionProviders with opentelemetry, named in"
    " defaultProviders.tracing or in a Telemetry object"
)

CHANGED: Final[Mapping[str, Difference]] = {
    "default-tracing": Difference(
        since="1.22",
        before="proxies send spans to the Service {service} by default",
        after="proxies send no spans",
        remedy="name a provider of mesh:meshConfig.extensionProviders in mesh:meshConfig.defaultProviders.tracing; for"
        " this Service, one with zipkin",
        source="drop-default-tracing.yaml",
    ),
    "opencensus-tracers": Difference(
        since="1.25",
        severity=Severity.REFUSED,
        before="proxies send spans by OpenCensus",
        after="proxies have no OpenCensus and send no spans",
        remedy=_OPENTELEMETRY,
        source="opencensus-removal.yaml",
    ),
    "lightstep-tracers": Difference(
        since="1.27",
        severity=Severity.REFUSED,
        before="proxies send spans by Lightstep's own tracer",
        after="it is no longer supported",
        remedy=_OPENTELEMETRY,
        source="54002.yaml",
    ),
    "gateway-spans": Difference(
        since="1.28",
        severity=Severity.NOTE,
        before="a request through a gateway has one span there",
        after="it has two: one for what the gateway receives, and one for what it sends on",
        remedy="nothing; more spans are stored",
        source="spawn-upstream-span-for-gateway.yaml",
        variable=("PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY", "false"),
    ),
    "cni-files": Difference(
        since="1.30",
        severity=Severity.NOTE,
        before="all users of a node can read the files of the CNI plugin's configuration (0644)",
        after="only root can (0600)",
        remedy='nothing, unless a tool reads them as another user: mesh:cni.env.CNI_CONF_GROUP_READ: "true" lets its'
        " group (0640)",
        source="59075.yaml",
    ),
    "gateway-api": Difference(
        since="1.12",
        severity=Severity.REFUSED,
        before="istiod reads the Gateway API's objects of networking.x-k8s.io",
        after="nothing reads them",
        remedy="write them for gateway.networking.k8s.io/v1, and install its definitions",
        source="gateway-v1alpha2.yaml",
    ),
    "operator": Difference(
        since="1.24",
        severity=Severity.REFUSED,
        before="an operator in the cluster installs what the IstioOperator describes",
        after="there is no such operator: nothing follows from the object",
        remedy="put its values into the stack (docs/adoption.md takes over what it installed), then delete operator and"
        " object",
        source="istio/istio: operator/cmd/operator, which tag 1.24.0 does not have",
    ),
}
