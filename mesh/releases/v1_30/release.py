"""Istio 1.30."""

from __future__ import annotations

from typing import Final

from mesh.releases.release import Analysis, Bookinfo, Kubernetes, RateLimit, Release, Requests
from mesh.releases.v1_30 import (
    cni,
    gateway,
    injection,
    istiod,
    istiod_config,
    policies,
    proxy_config,
    regex,
    remote,
    webhooks,
    ztunnel,
)
from mesh.releases.v1_30.addons import ADDONS, kiali
from mesh.releases.v1_30.annotations import ANNOTATIONS
from mesh.releases.v1_30.api import VERSIONS
from mesh.releases.v1_30.differences import DIFFERENCES
from mesh.releases.v1_30.names import NO_AMBIENT
from mesh.releases.v1_30.profiles import PROFILES
from mesh.releases.v1_30.refused import REFUSALS
from mesh.releases.v1_30.roles import ROLES
from mesh.releases.v1_30.variables import VARIABLES

RELEASE: Final = Release(
    name="1.30",
    version="1.30.3",
    hub="registry.istio.io/release",
    architectures=("amd64", "arm64"),
    kubernetes=Kubernetes(
        oldest=(1, 32),  # with `newest`: Istio's table of supported releases
        reason="the Istio project supports 1.30 on no older version",
        newest=(1, 36),
    ),
    cert_providers=("istiod", "custom", "none", "k8s.io/"),
    runs_istiod=True,
    differences=DIFFERENCES,
    end_of_life="2027-01-11",  # six weeks after 1.32.0, expected a quarter after 1.31.0 (2026-08-31)
    bulletins=("ISTIO-SECURITY-2026-006",),  # fixed in 1.30.4
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
    remote_service=remote.service,
    remote_problems=remote.problems,
    tags=webhooks.tags,
    injection_webhooks=webhooks.injectors,
    validation_webhooks=webhooks.validators,
    admission_policies=policies.admission_policies,
    network_policies=policies.network_policies,
    telemetry_filters=lambda _: (),
    requests=Requests(hosts_ignore_case=True, path_templates=True, missing_is_empty=True, claim_routes=True, pilot={}),
    analysis=Analysis(
        gateway_targets=True,
        gateway_api={
            "backendtlspolicies.gateway.networking.k8s.io": (1, 4, 0),
            "grpcroutes.gateway.networking.k8s.io": (1, 1, 0),
            "tlsroutes.gateway.networking.k8s.io": (1, 5, 0),
        },
        image_of_each=False,
        wants_services=False,
    ),
    annotations=ANNOTATIONS,
    refusals=REFUSALS,
    variables=VARIABLES,
    proxy_defaults=proxy_config.DEFAULTS,
    proxy_refused=proxy_config.refused,
    unsupported_regex=regex.UNSUPPORTED,
    mesh_config=istiod_config.mesh_config,
    injection_values=istiod_config.injection_values,
    injection_templates=injection.templates,
    injector=injection.INJECTOR,
    istiod_pod=istiod.pod,
    gateway_pod=gateway.pod,
    gateway_labels=NO_AMBIENT,
    cni_pod=cni.pod,
    cni_config=cni.config,
    ztunnel_pod=ztunnel.pod,
    single_budgets=False,
    kiali_config=kiali.config,
)
