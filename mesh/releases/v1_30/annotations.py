"""The annotations of Istio 1.30."""

from __future__ import annotations

from typing import Final

from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.proxy import proxyconfig
from mesh.releases.common.annotations import DEPRECATED, READERS
from mesh.releases.release import Annotations

_POD: Final = (
    *(f"ambient.istio.io/{name}" for name in ("bypass-inbound-capture", "dns-capture", "redirection")),
    "istio.io/reroute-virtual-interfaces",
    *(
        f"sidecar.istio.io/{name}"
        for name in (
            *("nativeSidecar", "proxyImageType", "statsCompression", "statsEvictionInterval", "statsFlushInterval"),
            *("statsHistogramBins", "statsHistogramBuckets"),
        )
    ),
    "traffic.sidecar.istio.io/excludeInterfaces",
)
_GATEWAY: Final = GroupKind("Gateway", "gateway.networking.k8s.io")

ANNOTATIONS: Final = Annotations(
    readers={
        **READERS,
        **dict.fromkeys(_POD, (kinds.POD,)),
        "ambient.istio.io/waypoint-inbound-binding": (GroupKind("GatewayClass", _GATEWAY.group), _GATEWAY),
        "gateway.istio.io/controller-version": (),
        "gateway.istio.io/name-override": (_GATEWAY,),
        "gateway.istio.io/service-account": (_GATEWAY,),
        **{
            f"istio.io/{name}": (kinds.WORKLOAD_ENTRY,)
            for name in ("autoRegistrationGroup", "connectedAt", "disconnectedAt", "workloadController")
        },
        "istio.io/dry-run": (kinds.AUTHORIZATION_POLICY,),
        "networking.istio.io/service-type": (_GATEWAY,),
        "networking.istio.io/traffic-distribution": (kinds.NAMESPACE, kinds.SERVICE, kinds.SERVICE_ENTRY),
    },
    deprecated={
        **DEPRECATED,
        "sidecar.istio.io/extraStatTags": f"extraStatTags in {proxyconfig.ANNOTATION}",
        "sidecar.istio.io/inject": "the label sidecar.istio.io/inject",
        "sidecar.istio.io/statsCompression": "",
        "traffic.sidecar.istio.io/kubevirtInterfaces": "istio.io/reroute-virtual-interfaces",
    },
)
