"""Values of an installation of Istio 1.30 as its injection templates read them, for tests of injection.

They are written out, so that tests say what a template reads and not what a profile happens to set.
"""

from __future__ import annotations

import copy
from typing import Any, Final

_RESOURCES: Final = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
_PROXY: Final = {
    "autoInject": "enabled",
    "clusterDomain": "cluster.local",
    "componentLogLevel": "misc:error",
    "excludeIPRanges": "",
    "excludeInboundPorts": "",
    "excludeOutboundPorts": "",
    "image": "proxyv2",
    "includeIPRanges": "*",
    "includeInboundPorts": "*",
    "includeOutboundPorts": "",
    "logLevel": "warning",
    "outlierLogPath": "",
    "privileged": False,
    "readinessFailureThreshold": 4,
    "readinessInitialDelaySeconds": 0,
    "readinessPeriodSeconds": 15,
    "resources": _RESOURCES,
    "seccompProfile": {},
    "startupProbe": {"enabled": True, "failureThreshold": 600},
    "statusPort": 15020,
    "tracer": "none",
}
_VALUES: Final = {
    "gateways": {"seccompProfile": {}, "securityContext": {}},
    "global": {
        "caAddress": "",
        "caName": "",
        "hub": "registry.istio.io/release",
        "imagePullPolicy": "",
        "imagePullSecrets": [],
        "istioNamespace": "istio-system",
        "logAsJson": False,
        "logging": {"level": "default:info"},
        "meshID": "",
        "mountMtlsCerts": False,
        "multiCluster": {"clusterName": ""},
        "nativeNftables": False,
        "network": "",
        "pilotCertProvider": "istiod",
        "proxy": _PROXY,
        "proxy_init": {"forceApplyIptables": False, "image": "proxyv2"},
        "sds": {"token": {"aud": "istio-ca"}},
        "sts": {"servicePort": 0},
        "tag": "1.30.3",
        "variant": "",
        "waypoint": {"affinity": {}, "nodeSelector": {}, "resources": _RESOURCES, "tolerations": []},
    },
    "pilot": {"cni": {"enabled": False, "provider": "default"}, "env": {}},
    "revision": "",
    "sidecarInjectorWebhook": {
        "alwaysInjectSelector": [],
        "defaultTemplates": [],
        "injectedAnnotations": {},
        "neverInjectSelector": [],
        "rewriteAppHTTPProbe": True,
        "templates": {},
    },
}
MESH: Final = {
    "accessLogFile": "/dev/stdout",
    "defaultConfig": {"discoveryAddress": "istiod.istio-system.svc:15012"},
    "enablePrometheusMerge": True,
    "rootNamespace": "istio-system",
    "trustDomain": "cluster.local",
}
"""The MeshConfig of the same installation."""


def values(**settings: Any) -> dict[str, Any]:
    """The values, with settings by path with `__` between names."""
    found: dict[str, Any] = copy.deepcopy(_VALUES)
    for path, value in settings.items():
        *parents, last = path.split("__")
        place = found
        for parent in parents:
            place = place[parent]
        place[last] = value
    return found
