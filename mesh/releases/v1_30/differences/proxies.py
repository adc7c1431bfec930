"""What changed in the containers of sidecars and gateways, and in the traffic that is redirected to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.differences import Difference, Severity

CHANGED: Final[Mapping[str, Difference]] = {
    "native-sidecars": Difference(
        since="1.27",
        before="istio-proxy is a container beside the others, which start and end without regard to it",
        after="where all nodes run Kubernetes 1.33 or later, istio-proxy is an init container that keeps running: the"
        " others start once it is ready and end before it, so that Jobs can end",
        remedy="check whatever expects istio-proxy in spec.containers: other webhooks, policies, dashboards, scripts",
        source="native-sidecar-default.yaml",
        variable=("ENABLE_NATIVE_SIDECARS", "false"),
    ),
    "startup-probes": Difference(
        since="1.20",
        severity=Severity.NOTE,
        before="a sidecar that never gets ready waits forever",
        after="it is restarted after {seconds} seconds; a startup probe asks it every second until it is ready",
        remedy="nothing; mesh:global.proxy.startupProbe sets the number",
        source="startupProbe.yaml",
    ),
    "tcp-probes": Difference(
        since="1.12",
        before="a probe of a TCP port always succeeds, since the sidecar accepts the connection",
        after="the agent asks the application: the probe of port {port} fails if nothing listens there",
        remedy="make sure that the application listens on port {port}",
        source="33734.yaml",
    ),
    "port-22": Difference(
        since="1.13",
        before="connections to port 22 of a pod bypass its sidecar",
        after="they go through the sidecar, so that policies and mutual TLS apply to them",
        remedy='annotate the pods traffic.sidecar.istio.io/excludeInboundPorts: "22" to keep the port out',
        source="ssh-iptables.yaml",
    ),
    "volume-groups": Difference(
        since="1.15",
        before="injection gives pods the fsGroup 1337: files of their volumes belong to this group",
        after="injection gives them none: a container that does not run as root may not read or write its volume",
        remedy="set securityContext.fsGroup in the pod template before the upgrade: 1337, which the files have, or"
        " another",
        source="disable-fs-group-injection.yaml",
    ),
    "sidecar-threads": Difference(
        since="1.18",
        before="a sidecar has {old}",
        after="it has {new}: {reason}",
        remedy="set mesh:meshConfig.defaultConfig.concurrency to the intended number",
        source="fix-concurrency.yaml",
    ),
    "gateway-threads": Difference(
        since="1.18",
        before="the gateway has a worker thread for each core of its node",
        after="it has {new}: {reason}",
        remedy="check that it carries the load; resources.limits.cpu of the gateway sets the number, unless concurrency"
        " does",
        source="fix-concurrency.yaml",
    ),
    "dns-exclusions": Difference(
        since="1.23",
        before="DNS requests of these pods go to the agent, also to excluded ports and addresses",
        after="{annotation} applies to DNS, too: excluded requests go to the cluster's DNS",
        remedy="leave port 53 and the DNS server's address out of the annotation if the agent is to answer",
        source="53998.yaml",
    ),
}
