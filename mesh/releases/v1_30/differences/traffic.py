"""What changed in routing, load balancing and the registry of services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.differences import Difference, Severity

CHANGED: Final[Mapping[str, Difference]] = {
    "default-load-balancer": Difference(
        since="1.14",
        before="requests go to each endpoint in turn (ROUND_ROBIN)",
        after="of two endpoints, each request goes to the one with fewer requests in progress (LEAST_REQUEST)",
        remedy="nothing, unless a test relies on turns: then set trafficPolicy.loadBalancer.simple: ROUND_ROBIN in a"
        " DestinationRule",
        source="new_lb_algorithm_default.yaml",
    ),
    "default-retries": Difference(
        since="1.24",
        before="a request that fails with 503 is tried again, twice, also if the service has received it",
        after="a 503 from the service goes to the caller; failed connections and refused streams are still tried again",
        remedy="where a second try does no harm, write retries with retryOn in the route, or for the whole mesh"
        ' mesh:meshConfig.defaultHttpRetryPolicy: {{attempts: 2, retryOn: "connect-failure,refused-stream,unavailable,'
        'cancelled,503"}}',
        source="50506.yaml",
    ),
    "mirror-host": Difference(
        since="1.28",
        before="a mirrored request has a Host header that ends with -shadow",
        after="it has the Host header of the original",
        remedy="if the receiver recognizes copies by their Host, let it recognize them by a header that the route sets",
        source="57530.yaml",
        variable=("DISABLE_SHADOW_HOST_SUFFIX", "false"),
    ),
    "without-headers": Difference(
        since="1.22",
        before="a condition in withoutHeaders on a value matches no request that lacks the header",
        after="it matches requests that lack the header",
        remedy="review the routes: more requests take this one. To require the header, add it to headers with an empty"
        " condition",
        source="49537.yaml",
    ),
    "wildcard-hosts": Difference(
        since="1.21",
        before="where hosts of VirtualServices overlap, the oldest VirtualService applies: {older} may win for {host}",
        after="the most specific host applies: this VirtualService has {host}",
        remedy="check that its routes are the intended ones for {host}",
        source="45415-overlapping-wildcards.yaml",
    ),
    "external-names": Difference(
        since="1.21",
        before="a Service of type ExternalName is a service of its own: its ports, and rules that name it, count",
        after="it is another name of {target}: its ports do nothing, and rules that name it apply to nobody",
        remedy="name {target} in VirtualServices and DestinationRules, with a ServiceEntry if it is outside",
        source="external-name-on.yaml",
    ),
    "target-port-of-none": Difference(
        since="1.22",
        before="targetPort is ignored where resolution is NONE: connections keep port {number}",
        after="connections to port {number} go to port {target}",
        remedy="leave targetPort out if that is not intended",
        source="targetPort-service-entry.yaml",
    ),
    "same-host": Difference(
        since="1.30",
        before="of services with the host {host} in several namespaces, a proxy that sees none in its own takes that of"
        " the first namespace by alphabet",
        after="it takes a Service of Kubernetes, or else the oldest ServiceEntry",
        remedy="keep one of them, or restrict the others with exportTo",
        source="sidecar-pick-best-service-namespace.yaml",
        variable=("PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE", "false"),
    ),
    "exported-rules": Difference(
        since="1.24",
        before="DestinationRules of one namespace for {host} are merged, whatever their exportTo",
        after="they are merged only if the newer one is exported to all namespaces of the older one; else one applies",
        remedy="give them the same exportTo, or write one DestinationRule for {host}",
        source="52519.yaml",
        variable=("ENABLE_ENHANCED_DESTINATIONRULE_MERGE", "false"),
    ),
    "allocated-addresses": Difference(
        since="1.25",
        before="hosts without addresses are resolved by the cluster's DNS",
        after="istiod gives each host an address of its own in status.addresses, and proxies with DNS capture answer"
        " with it",
        remedy="nothing for ports with HTTP or TLS; for TCP it is what tells such hosts apart. To leave one out, label"
        ' it networking.istio.io/enable-autoallocate-ip: "false"',
        source="ip-allocation-v2-default.yaml",
        variable=("PILOT_ENABLE_IP_AUTOALLOCATE", "false"),
    ),
    "discovery-selectors": Difference(
        since="1.22",
        before="meshConfig.discoverySelectors restrict which Services istiod reads, but not Istio's objects",
        after="istiod does not read this object: the selectors leave out namespace {namespace}",
        remedy="label the namespace so that a selector matches, or move the object",
        source="enable-enhanced-scope.yaml",
    ),
    "circuit-breaker-metrics": Difference(
        since="1.29",
        severity=Severity.NOTE,
        before="proxies count what is left of the limits in connectionPool (metrics …_remaining_…)",
        after="these metrics are always 0",
        remedy="remove them from dashboards and alerts; those of open circuits (…_open) stay",
        source="disable-track-remaining-cb-metrics.yaml",
        variable=("DISABLE_TRACK_REMAINING_CB_METRICS", "false"),
    ),
}
