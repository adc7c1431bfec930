"""The installation profiles of Istio 1.30, its platforms and compatibility versions, with the values of its charts."""

from __future__ import annotations

from typing import Final

from mesh.core.merge import Data
from mesh.releases.common.profiles import (
    CERTIFICATES,
    DEMO_PORTS,
    EGRESS_PORTS,
    INGRESS_PORTS,
    LOW_PORTS,
    NO_CONTROL_PLANE,
)
from mesh.releases.profiles import Profiles

_ROOT: Final[Data] = {
    "meshConfig": {"enablePrometheusMerge": True, "trustDomain": "cluster.local"},
    "global": {
        "proxy": {
            "readinessInitialDelaySeconds": 0,
            "readinessPeriodSeconds": 15,
            "readinessFailureThreshold": 4,
            "tracer": "none",
        }
    },
    "cni": {
        "excludeNamespaces": ["kube-system"],
        "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}},
        "repair": {"labelPods": False, "deletePods": False},
    },
}
_GATEWAYS: Final[dict[str, Data]] = {
    "ingress": {
        "kind": "ingress",
        "type": "LoadBalancer",
        "ports": INGRESS_PORTS,
        "secretVolumes": CERTIFICATES["ingress"],
    },
    "egress": {"kind": "egress", "type": "ClusterIP", "ports": EGRESS_PORTS, "secretVolumes": CERTIFICATES["egress"]},
    "gateway": {
        "chart": "gateway",
        "ports": LOW_PORTS,
        "labels": {"istio.io/dataplane-mode": "none"},
        "rollingMaxSurge": "25%",
    },
}

_SMALL: Final = {"resources": {"requests": {"cpu": "10m", "memory": "40Mi"}}}
_GATEWAY: Final = {**_SMALL, "autoscaleEnabled": False}


def _service(port: int, name: str, namespace: str) -> Data:
    return {"port": port, "service": f"{name}.{namespace}.svc.cluster.local"}


_COLLECTOR: Final = _service(4317, "opentelemetry-collector", "observability")
_DEMO: Final[Data] = {
    "meshConfig": {
        "accessLogFile": "/dev/stdout",
        "extensionProviders": [
            {"name": "otel", "envoyOtelAls": _COLLECTOR},
            {"name": "skywalking", "skywalking": _service(11800, "tracing", "istio-system")},
            {"name": "otel-tracing", "opentelemetry": _COLLECTOR},
            {"name": "jaeger", "opentelemetry": _service(4317, "jaeger-collector", "istio-system")},
        ],
    },
    "pilot": {
        "resources": {"requests": {"cpu": "10m", "memory": "100Mi"}},
        "autoscaleEnabled": False,
        "traceSampling": 100,
    },
    "global": {"proxy": _SMALL, "waypoint": _SMALL},
    "cni": _SMALL,
    "gateways": {
        "istio-ingressgateway": {**_GATEWAY, "ports": DEMO_PORTS},
        "istio-egressgateway": {"kind": "egress", **_GATEWAY},
    },
}
_AMBIENT: Final[Data] = {
    "meshConfig": {
        "defaultConfig": {"proxyMetadata": {"ISTIO_META_ENABLE_HBONE": "true"}},
        "serviceScopeConfigs": [
            {
                "servicesSelector": {
                    "matchExpressions": [{"key": "istio.io/global", "operator": "In", "values": ["true"]}]
                },
                "scope": "GLOBAL",
            }
        ],
    },
    "global": {"variant": "distroless"},
    "pilot": {"env": {"PILOT_ENABLE_AMBIENT": "true"}},
    "cni": {"enabled": True, "ambient": {"enabled": True}},
    "ztunnel": {"enabled": True, "proxyMetadata": {"ISTIO_META_ENABLE_HBONE": "true"}},
}
_ON_OPENSHIFT: Final[Data] = {"global": {"platform": "openshift"}, "cni": {"enabled": True, "namespace": "kube-system"}}

_DIFFERENCES: Final[dict[str, tuple[str | None, Data]]] = {
    "minimal": (None, {}),
    "default": ("minimal", {"gateways": {"istio-ingressgateway": {"kind": "ingress"}}}),
    "demo": ("default", _DEMO),
    "ambient": ("minimal", _AMBIENT),
    "preview": (
        "default",
        {"meshConfig": {"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}}},
    ),
    "stable": ("default", {"experimental": {"stableValidationPolicy": True}}),
    "openshift": ("default", _ON_OPENSHIFT),
    "openshift-ambient": ("ambient", {**_ON_OPENSHIFT, "ztunnel": {"namespace": "kube-system"}}),
    "remote": (
        "minimal",
        {
            "pilot": {"enabled": False, "configMap": False},
            "istiodRemote": {"enabled": True},
            "telemetry": {"enabled": False},
            "global": {"omitSidecarInjectorConfigMap": True},
        },
    ),
    "empty": ("minimal", NO_CONTROL_PLANE),
}

_QUOTAS: Final = {"resourceQuotas": {"enabled": True}}
_SE_LINUX: Final = {"seLinuxOptions": {"type": "spc_t"}}
_RANCHER: Final = "/var/lib/rancher/k3s"
_K3S: Final = {"cniConfDir": f"{_RANCHER}/agent/etc/cni/net.d"}
_MICROK8S: Final = "/var/snap/microk8s/current"

_PLATFORMS: Final[dict[str, Data]] = {
    # Istio's chart finds out the folder of GKE's plugins from the version of the cluster's Kubernetes.
    "gke": {"cni": {"cniBinDir": "/home/kubernetes/bin", **_QUOTAS}, "ztunnel": _QUOTAS},
    "k3d": {"cni": {**_K3S, "cniBinDir": "/bin"}},
    "k3s": {"cni": {**_K3S, "cniBinDir": f"{_RANCHER}/data/cni"}},
    "microk8s": {
        "cni": {"cniConfDir": f"{_MICROK8S}/args/cni-network", "cniBinDir": f"{_MICROK8S}/opt/cni/bin"},
    },
    "minikube": {"cni": {"cniNetnsDir": "/var/run/docker/netns"}},
    "openshift": {
        "cni": {
            "cniBinDir": "/var/lib/cni/bin",
            "cniConfDir": "/etc/cni/multus/net.d",
            "chained": False,
            "cniConfFileName": "istio-cni.conf",
            "provider": "multus",
            **_SE_LINUX,
        },
        "ztunnel": _SE_LINUX,
        "pilot": {"cni": {"provider": "multus"}, "trustedZtunnelNamespace": "kube-system"},
    },
}

_CHANGED: Final[dict[str, Data]] = {
    "1.29": {"pilot": {"env": {"PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE": "false"}}},
    "1.28": {
        "pilot": {"env": {"DISABLE_TRACK_REMAINING_CB_METRICS": "false"}},
        "cni": {"ambient": {"reconcileIptablesOnStartup": False}},
    },
    "1.27": {
        "pilot": {"env": {"DISABLE_SHADOW_HOST_SUFFIX": "false", "PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY": "false"}}
    },
    "1.26": {"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": "false"}}},
    "1.25": {"cni": {"ambient": {"shareHostNetworkNamespace": True}}},
}
"""What keeps the behavior of a release that later ones changed."""

PROFILES: Final = Profiles(
    root=_ROOT, gateways=_GATEWAYS, differences=_DIFFERENCES, platforms=_PLATFORMS, changed=_CHANGED
)
