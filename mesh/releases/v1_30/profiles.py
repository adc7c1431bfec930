"""The installation profiles of Istio 1.30, with the values of its own charts."""

from __future__ import annotations

from typing import Final

from mesh.core.merge import Data
from mesh.releases.profiles import Profiles


def _port(name: str, port: int, target: int | None = None) -> Data:
    return {"name": name, "port": port, "targetPort": target or port}


def _certificates(kind: str) -> list[Data]:
    """Volumes for the two Secrets from which Istio's own gateways of this kind read certificates."""
    return [
        {"name": f"{kind}gateway-{files}", "secretName": f"istio-{kind}gateway-{files}", "mountPath": path}
        for files in ("certs", "ca-certs")
        for path in [f"/etc/istio/{kind}gateway-{files}"]
    ]


_STATUS, _HTTP2, _HTTPS = _port("status-port", 15021), _port("http2", 80, 8080), _port("https", 443, 8443)
_ROUTER: Final = {"ISTIO_META_ROUTER_MODE": "standard"}

_GATEWAYS: Final = {
    "ingress": {
        "kind": "ingress",
        "type": "LoadBalancer",
        "ports": [_STATUS, _HTTP2, _HTTPS],
        "env": _ROUTER,
        "secretVolumes": _certificates("ingress"),
    },
    "egress": {
        "kind": "egress",
        "type": "ClusterIP",
        "ports": [_HTTP2, _HTTPS],
        "env": _ROUTER,
        "secretVolumes": _certificates("egress"),
    },
}
_ROOT: Final[Data] = {
    "meshConfig": {
        "enablePrometheusMerge": True,
        "trustDomain": "cluster.local",
        "defaultConfig": {"proxyMetadata": {}},
    }
}

_SMALL_PROXY: Final = {"resources": {"requests": {"cpu": "10m", "memory": "40Mi"}}}
_NO_CONTROL_PLANE: Final[Data] = {"base": {"enabled": False}, "pilot": {"enabled": False}}

_DIFFERENCES: Final[dict[str, tuple[str | None, Data]]] = {
    "minimal": (None, {}),
    "default": ("minimal", {"gateways": {"istio-ingressgateway": {"kind": "ingress"}}}),
    "demo": (
        "default",
        {
            "meshConfig": {"accessLogFile": "/dev/stdout"},
            "pilot": {
                "resources": {"requests": {"cpu": "10m", "memory": "100Mi"}},
                "autoscaleEnabled": False,
                "traceSampling": 100,
            },
            "global": {"proxy": _SMALL_PROXY},
            "gateways": {
                "istio-ingressgateway": {
                    **_SMALL_PROXY,
                    "autoscaleEnabled": False,
                    "ports": [_STATUS, _HTTP2, _HTTPS, _port("tcp", 31400), _port("tls", 15443)],
                },
                "istio-egressgateway": {"kind": "egress", **_SMALL_PROXY, "autoscaleEnabled": False},
            },
        },
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
    "empty": ("minimal", _NO_CONTROL_PLANE),
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

PROFILES: Final = Profiles(root=_ROOT, gateways=_GATEWAYS, differences=_DIFFERENCES)
