"""Installation profiles as data: what the models have by default, and each profile's differences from its parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from components.typed import Typed

ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]


class Resources(Typed):
    """Kubernetes resource quantities by name (`cpu`, `memory`), e.g. `100m`, `128Mi`."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Autoscale(Typed):
    """Bounds of a HorizontalPodAutoscaler that aims at an average CPU utilisation."""

    min: int = 1
    """Fewest replicas."""
    max: int = 5
    """Most replicas."""
    cpu: int = 80
    """Target average CPU utilisation, per cent of the request."""


class MeshConfig(Typed):
    """The parts of Istio's mesh-wide configuration that profiles differ in, under Istio's own names."""

    accessLogFile: str = ""
    """Path of the proxies' access log in the container; empty for no log."""


class Pilot(Typed):
    """The control plane, istiod."""

    resources: Resources = Resources(requests={"cpu": "500m", "memory": "2048Mi"})
    autoscale: Autoscale | None = Autoscale()
    """None: a fixed number of replicas."""
    replicas: int = 1
    """Replicas without an autoscaler."""
    traceSampling: float = Field(default=1.0, ge=0, le=100)
    """Per cent of requests that are traced."""


class Port(Typed):
    """A port of a gateway's Service."""

    name: str
    port: int
    targetPort: int


class Gateway(Typed):
    """One gateway: a Deployment of Istio's proxy and the Service before it."""

    role: Literal["ingressgateway", "egressgateway"]
    """Value of the label `istio`, by which Gateway objects select the pods."""
    serviceType: ServiceType
    ports: tuple[Port, ...]
    routerMode: str = "standard"
    resources: Resources = Resources(
        requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
    )
    autoscale: Autoscale | None = Autoscale()


class Proxy(Typed):
    """The sidecars' resources."""

    resources: Resources = Resources(
        requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
    )


class Profile(Typed):
    """Everything that a profile decides."""

    pilot: Pilot = Pilot()
    proxy: Proxy = Proxy()
    meshConfig: MeshConfig = MeshConfig()
    gateways: dict[str, Gateway] = {}
    """Gateways by the name of their Deployment and Service."""


_HTTP2 = {"name": "http2", "port": 80, "targetPort": 8080}
_HTTPS = {"name": "https", "port": 443, "targetPort": 8443}
_STATUS = {"name": "status-port", "port": 15021, "targetPort": 15021}
_INGRESS = {"role": "ingressgateway", "serviceType": "LoadBalancer", "ports": [_STATUS, _HTTP2, _HTTPS]}
_SMALL_PROXY = {
    "requests": {"cpu": "10m", "memory": "40Mi"},
    "limits": {"cpu": "2000m", "memory": "1024Mi"},
}

# name: (parent, differences). Figures: the profiles of Istio 1.10.
_PROFILES: Final[Mapping[str, tuple[str | None, Mapping[str, Any]]]] = {
    "minimal": (None, {}),
    "default": ("minimal", {"gateways": {"istio-ingressgateway": _INGRESS}}),
    "demo": (
        "default",
        {
            "meshConfig": {"accessLogFile": "/dev/stdout"},
            "pilot": {
                "resources": {"requests": {"cpu": "10m", "memory": "100Mi"}},
                "autoscale": None,
                "traceSampling": 100,
            },
            "proxy": {"resources": _SMALL_PROXY},
            "gateways": {
                "istio-ingressgateway": {
                    "resources": _SMALL_PROXY,
                    "autoscale": None,
                    "ports": [
                        _STATUS,
                        _HTTP2,
                        _HTTPS,
                        {"name": "tcp", "port": 31400, "targetPort": 31400},
                        {"name": "tls", "port": 15443, "targetPort": 15443},
                    ],
                },
                "istio-egressgateway": {
                    "role": "egressgateway",
                    "serviceType": "ClusterIP",
                    "ports": [_HTTP2, _HTTPS],
                    "resources": _SMALL_PROXY,
                    "autoscale": None,
                },
            },
        },
    ),
}

NAMES: Final = tuple(_PROFILES)


def profile(name: str) -> Profile:
    """The profile called `name`, one of `NAMES`; KeyError for any other."""
    return Profile.model_validate(_values(name))


def _values(name: str) -> Mapping[str, Any]:
    parent, differences = _PROFILES[name]
    return _merged(_values(parent) if parent else Profile().model_dump(), differences)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it: maps merge key by key, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged
