"""Istio 1.30."""

from __future__ import annotations

from typing import Final

from mesh.releases.release import Bookinfo, RateLimit, Release
from mesh.releases.v1_30 import (
    cni,
    gateway,
    injection,
    istiod,
    istiod_config,
    proxy_config,
    regex,
    sidecar,
    webhooks,
)
from mesh.releases.v1_30.addons import ADDONS, kiali
from mesh.releases.v1_30.api import VERSIONS
from mesh.releases.v1_30.profiles import PROFILES
from mesh.releases.v1_30.roles import ROLES
from mesh.releases.v1_30.variables import VARIABLES

RELEASE: Final = Release(
    name="1.30",
    version="1.30.3",
    hub="registry.istio.io/release",
    architectures=("amd64", "arm64"),
    kubernetes=(1, 30),
    end_of_life="2027-02-28",
    bulletins=(),
    bookinfo=Bookinfo(
        hub="registry.istio.io/release",
        tag="1.20.3",
        annotations={
            "productpage": {
                "prometheus.io/path": "/metrics",
                "prometheus.io/port": "9080",
                "prometheus.io/scrape": "true",
            }
        },
    ),
    addons=ADDONS,
    rate_limit=RateLimit(
        image="docker.io/envoyproxy/ratelimit:30a4ce1a",  # of 2024-08-01, as in the release's samples
        redis="docker.io/library/redis:8.2.1-alpine",
    ),
    profiles=PROFILES,
    api=VERSIONS,
    roles=ROLES,
    injection_webhooks=webhooks.injector,
    validation_webhooks=webhooks.validator,
    telemetry_filters=lambda _: (),
    variables=VARIABLES,
    proxy_config=proxy_config.DEFAULTS,
    refused_proxy_config=proxy_config.refused,
    unsupported_regex=regex.UNSUPPORTED,
    mesh_config=istiod_config.mesh_config,
    injection_values=istiod_config.injection_values,
    injection_templates=injection.templates,
    sidecar=sidecar.sidecar,
    istiod_pod=istiod.pod,
    gateway_pod=gateway.pod,
    cni_pod=cni.pod,
    cni_config=cni.config,
    kiali_config=kiali.config,
)
