"""What one Istio release fixes: versions, images, ports and generations of filters. The only place that says "1.10"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.core.typed import Typed


class Release(Typed):
    """One release of Istio and of the samples that it ships."""

    version: str
    """Istio's version; also the tag of its images."""
    hub: str
    """Where its images are, without a trailing slash."""
    proxy_generations: tuple[str, ...]
    """Minor versions of the proxy that the release's telemetry filters are written for."""
    bookinfo_tag: str
    """Tag of the Bookinfo images in the release's samples."""
    addon_images: Mapping[str, str]
    """Images of the addons in the release's samples, by container."""
    kiali: str
    """Kiali's version, as its objects' labels tell it; the image's tag follows the minor version."""
    grafana: str
    """Grafana's version."""
    kubernetes: tuple[int, int]
    """The oldest Kubernetes (major, minor) whose APIs every object here uses."""
    architectures: tuple[str, ...]
    """What its images are built for, as Kubernetes calls it."""
    end_of_life: str
    """The day (ISO 8601) on which the Istio project stopped to support the release."""
    bulletins: tuple[str, ...]
    """Istio's security bulletins about access rules that its proxies enforce wrongly."""


ISTIO: Final = Release(
    version="1.10.3",
    hub="docker.io/istio",
    proxy_generations=("1.9", "1.10"),
    bookinfo_tag="1.16.2",
    addon_images={
        "prometheus": "prom/prometheus:v2.24.0",
        "configmap-reload": "jimmidyson/configmap-reload:v0.5.0",
        "jaeger": "docker.io/jaegertracing/all-in-one:1.20",
        "grafana": "grafana/grafana:7.4.3",
        "kiali": "quay.io/kiali/kiali:v1.34",
    },
    kiali="v1.34.0",
    grafana="7.4.3",
    kubernetes=(1, 23),  # policy/v1 came with 1.21, autoscaling/v2 with 1.23
    architectures=("amd64",),
    end_of_life="2022-01-07",
    bulletins=("ISTIO-SECURITY-2021-008",),  # mended in 1.10.4
)


class RateLimit(Typed):
    """Images of the rate-limit service and its store; neither is a part of Istio."""

    image: str
    """Envoy's rate-limit service, by the commit that its tag names."""
    redis: str
    """Redis."""


RATE_LIMIT: Final = RateLimit(
    image="docker.io/envoyproxy/ratelimit:6f5de117",  # of 2021-01-08, as in the samples of Istio 1.10
    redis="docker.io/library/redis:6.2.5-alpine",
)
