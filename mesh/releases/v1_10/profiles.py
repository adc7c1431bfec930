"""The installation profiles of Istio 1.10, with the values of its own charts."""

from __future__ import annotations

from typing import Final

from mesh.core.merge import Data, merged
from mesh.releases.common.profiles import (
    CERTIFICATES,
    DEMO_PORTS,
    EGRESS_PORTS,
    INGRESS_PORTS,
    NO_CONTROL_PLANE,
)
from mesh.releases.profiles import Profiles

_ROUTER: Final = {"ISTIO_META_ROUTER_MODE": "standard"}

_GATEWAYS: Final = {
    "ingress": {
        "kind": "ingress",
        "type": "LoadBalancer",
        "ports": INGRESS_PORTS,
        "env": _ROUTER,
        "secretVolumes": CERTIFICATES["ingress"],
    },
    "egress": {
        "kind": "egress",
        "type": "ClusterIP",
        "ports": EGRESS_PORTS,
        "env": _ROUTER,
        "secretVolumes": CERTIFICATES["egress"],
    },
}
_ROOT: Final[Data] = {
    "meshConfig": {
        "enablePrometheusMerge": True,
        "trustDomain": "cluster.local",
        "defaultConfig": {"proxyMetadata": {}},
    },
}

_SMALL_PROXY: Final = {"resources": {"requests": {"cpu": "10m", "memory": "40Mi"}}}

_DEMO_COMPONENTS: Final[Data] = {
    "pilot": {"traceSampling": 100},
    "gateways": {
        "istio-ingressgateway": {**_SMALL_PROXY, "ports": DEMO_PORTS},
        "istio-egressgateway": {"kind": "egress", **_SMALL_PROXY},
    },
}
"""The settings in `components` of profile demo that a user's values do not override. The values do override the other
settings there, those of istiod's pods, since istioctl moves such values to the components."""

_DIFFERENCES: Final[dict[str, tuple[str | None, Data]]] = {
    "minimal": (None, {}),
    "default": ("minimal", {"gateways": {"istio-ingressgateway": {"kind": "ingress"}}}),
    "demo": (
        "default",
        merged(
            _DEMO_COMPONENTS,
            {
                "meshConfig": {"accessLogFile": "/dev/stdout"},
                "pilot": {
                    "resources": {"requests": {"cpu": "10m", "memory": "100Mi"}},
                    "autoscaleEnabled": False,
                },
                "global": {"proxy": _SMALL_PROXY},
                "gateways": {
                    "istio-ingressgateway": {"autoscaleEnabled": False},
                    "istio-egressgateway": {"autoscaleEnabled": False},
                },
            },
        ),
    ),
    "preview": (
        "default",
        {
            "meshConfig": {"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}},
            "telemetry": {"v2": {"metadataExchange": {"wasmEnabled": True}, "prometheus": {"wasmEnabled": True}}},
        },
    ),
    "openshift": (
        "default",
        {
            "cni": {
                "enabled": True,
                "namespace": "kube-system",
                "cniBinDir": "/var/lib/cni/bin",
                "cniConfDir": "/etc/cni/multus/net.d",
                "cniConfFileName": "istio-cni.conf",
                "chained": False,
                "excludeNamespaces": ["istio-system", "kube-system"],
            },
            "sidecarInjectorWebhook": {"injectedAnnotations": {"k8s.v1.cni.cncf.io/networks": "istio-cni"}},
        },
    ),
    "remote": ("default", {}),
    "empty": ("minimal", NO_CONTROL_PLANE),
    "external": (
        "empty",
        {
            "pilot": {"configMap": False},
            "istiodRemote": {"enabled": True},
            "telemetry": {"enabled": False},
            "global": {"omitSidecarInjectorConfigMap": True},
        },
    ),
}

PROFILES: Final = Profiles(
    root=_ROOT,
    gateways=_GATEWAYS,
    differences=_DIFFERENCES,
    by_components={"demo": _DEMO_COMPONENTS},
    merges_gateways=True,
    by_name=("secretVolumes",),
)
