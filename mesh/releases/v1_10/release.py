"""Istio 1.10."""

from __future__ import annotations

from functools import partial
from typing import Final

from mesh.releases.differences import Differences
from mesh.releases.release import Analysis, Bookinfo, Kubernetes, RateLimit, Release, Requests
from mesh.releases.v1_10 import (
    cni,
    gateway,
    injection,
    istiod,
    istiod_config,
    proxy_config,
    regex,
    remote,
    telemetry,
    webhooks,
)
from mesh.releases.v1_10.addons import ADDONS, kiali
from mesh.releases.v1_10.annotations import ANNOTATIONS
from mesh.releases.v1_10.api import VERSIONS
from mesh.releases.v1_10.profiles import PROFILES
from mesh.releases.v1_10.refused import REFUSALS
from mesh.releases.v1_10.roles import ROLES
from mesh.releases.v1_10.variables import VARIABLES

RELEASE: Final = Release(
    name="1.10",
    version="1.10.3",
    hub="docker.io/istio",
    architectures=("amd64",),
    kubernetes=Kubernetes(
        oldest=(1, 23),  # policy/v1 came with 1.21, autoscaling/v2 with 1.23
        reason="older versions lack policy/v1 and autoscaling/v2, which the disruption budgets and autoscalers use",
    ),
    cert_providers=("istiod", "custom"),
    runs_istiod=False,
    differences=Differences(),  # there is none before it
    end_of_life="2022-01-07",
    bulletins=("ISTIO-SECURITY-2021-008",),  # fixed in 1.10.4
    bookinfo=Bookinfo(hub="docker.io/istio", tag="1.16.2", user=1000),
    addons=ADDONS,
    rate_limit=RateLimit(
        image="docker.io/envoyproxy/ratelimit:6f5de117",  # of 2021-01-08, as in the release's samples
        redis="docker.io/library/redis:6.2.5-alpine",
    ),
    profiles=PROFILES,
    api=VERSIONS,
    roles=ROLES,
    remote_service=remote.service,
    remote_problems=remote.problems,
    tags=webhooks.tags,
    injection_webhooks=webhooks.injectors,
    validation_webhooks=webhooks.validators,
    admission_policies=lambda _: (),
    network_policies=lambda _: (),
    telemetry_filters=partial(telemetry.filters, ("1.9", "1.10")),  # proxies of 1.9 may still be connected
    requests=Requests(
        hosts_ignore_case=False,  # CVE-2021-39155
        path_templates=False,
        missing_is_empty=False,  # since 1.22
        claim_routes=False,
        pilot={"DISABLE_SHADOW_HOST_SUFFIX": "false"},  # a mirrored request's host ends with -shadow
    ),
    analysis=Analysis(gateway_targets=False, gateway_api={}, image_of_each=True, wants_services=True),
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
    gateway_labels={},
    cni_pod=cni.pod,
    cni_config=cni.config,
    ztunnel_pod=None,
    single_budgets=True,
    kiali_config=kiali.config,
)
