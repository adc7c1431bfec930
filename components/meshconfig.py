"""The two documents that istiod reads: the mesh-wide configuration, and the values that its injection template uses."""

from __future__ import annotations

from typing import Any, Final

from components.profiles import Profile, Resources

DOMAIN: Final = "cluster.local"
"""The cluster's DNS domain; also the trust domain of workload identities."""
XDS_PORT: Final = 15012
"""istiod's discovery and certificates over TLS."""
ZIPKIN: Final = "zipkin.{namespace}:9411"
"""Where proxies send their spans: the Service of the tracing addon."""

_INIT_RESOURCES: Final = Resources(
    requests={"cpu": "10m", "memory": "10Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
)


def discovery_address(namespace: str) -> str:
    """Host and port at which proxies find istiod."""
    return f"istiod.{namespace}.svc:{XDS_PORT}"


def mesh(profile: Profile, namespace: str) -> dict[str, Any]:
    """Istio's MeshConfig."""
    return {
        **profile.meshConfig.model_dump(exclude_defaults=True),
        "defaultConfig": {
            "discoveryAddress": discovery_address(namespace),
            "proxyMetadata": {},
            "tracing": {"zipkin": {"address": ZIPKIN.format(namespace=namespace)}},
        },
        "enablePrometheusMerge": True,
        "rootNamespace": namespace,
        "trustDomain": DOMAIN,
    }


def injection_values(profile: Profile, hub: str, tag: str, namespace: str) -> dict[str, Any]:
    """What the injection template finds under `.Values`, in the shape that Istio 1.10's own charts give it."""
    return {
        "global": _global(profile, hub, tag, namespace),
        "istio_cni": {"enabled": False},
        "revision": "",
        "sidecarInjectorWebhook": {
            "alwaysInjectSelector": [],
            "defaultTemplates": [],
            "enableNamespacesByDefault": False,
            "injectedAnnotations": {},
            "neverInjectSelector": [],
            "objectSelector": {"autoInject": True, "enabled": True},
            "rewriteAppHTTPProbe": True,
            "templates": {},
            "useLegacySelectors": False,
        },
    }


def _global(profile: Profile, hub: str, tag: str, namespace: str) -> dict[str, Any]:
    return {
        "hub": hub,
        "tag": tag,
        "namespace": namespace,
        "istioNamespace": namespace,
        "proxy": _proxy(profile),
        "proxy_init": {"image": "proxyv2", "resources": _INIT_RESOURCES.model_dump()},
        "tracer": _tracers(),
        "logging": {"level": "default:info"},
        "logAsJson": False,
        "caAddress": "",
        "configValidation": True,
        "defaultNodeSelector": {},
        "defaultPodDisruptionBudget": {"enabled": True},
        "defaultResources": {"requests": {"cpu": "10m"}},
        "enabled": True,
        "externalIstiod": False,
        "remotePilotAddress": "",
        "imagePullPolicy": "",
        "imagePullSecrets": [],
        "istiod": {"enableAnalysis": False},
        "jwtPolicy": "third-party-jwt",
        "meshID": "",
        "meshNetworks": {},
        "mountMtlsCerts": False,
        "multiCluster": {"clusterName": "", "enabled": False},
        "network": "",
        "omitSidecarInjectorConfigMap": False,
        "oneNamespace": False,
        "operatorManageWebhooks": False,
        "pilotCertProvider": "istiod",
        "priorityClassName": "",
        "sds": {"token": {"aud": "istio-ca"}},
        "sts": {"servicePort": 0},
        "useMCP": False,
    }


def _proxy(profile: Profile) -> dict[str, Any]:
    return {
        "image": "proxyv2",
        "resources": profile.proxy.resources.model_dump(),
        "autoInject": "enabled",
        "clusterDomain": DOMAIN,
        "logLevel": "warning",
        "componentLogLevel": "misc:error",
        "enableCoreDump": False,
        "privileged": False,
        "holdApplicationUntilProxyStarts": False,
        "includeIPRanges": "*",
        "excludeIPRanges": "",
        "excludeInboundPorts": "",
        "excludeOutboundPorts": "",
        "statusPort": 15020,
        "readinessInitialDelaySeconds": 1,
        "readinessPeriodSeconds": 2,
        "readinessFailureThreshold": 30,
        "tracer": "zipkin",
    }


def _tracers() -> dict[str, Any]:
    return {
        "zipkin": {"address": ""},
        "datadog": {"address": "$(HOST_IP):8126"},
        "lightstep": {"accessToken": "", "address": ""},
        "stackdriver": {
            "debug": False,
            **dict.fromkeys(("maxNumberOfAnnotations", "maxNumberOfAttributes", "maxNumberOfMessageEvents"), 200),
        },
    }
