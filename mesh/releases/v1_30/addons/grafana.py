"""Grafana, as Istio 1.30's sample has it: version 12."""

from __future__ import annotations

from typing import Final

from mesh.releases.addons import Grafana
from mesh.releases.v1_30.addons.dashboards import DASHBOARDS
from mesh.releases.v1_30.addons.pods import CONTAINER, NO_SIDECAR, user

_VERSION: Final = "12.0.1"
_SELECTOR: Final = {"app.kubernetes.io/name": "grafana", "app.kubernetes.io/instance": "grafana"}
_LABELS: Final = {**_SELECTOR, "app.kubernetes.io/version": _VERSION}
_USER: Final = 472
"""The uid of the image's user."""

GRAFANA: Final = Grafana(
    image=f"docker.io/grafana/grafana:{_VERSION}",
    selector=_SELECTOR,
    labels=_LABELS,
    pod_labels={**_LABELS, **NO_SIDECAR},
    annotations={"kubectl.kubernetes.io/default-container": "grafana"},
    security=user(_USER),
    container_security=CONTAINER,
    token=False,
    data="/",
    ini={
        "analytics": {"check_for_updates": "true"},
        "grafana_net": {"url": "https://grafana.net"},
        "log": {"mode": "console"},
        "server": {"domain": "''"},
    },
    port="grafana",
    open={
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
        "GF_AUTH_BASIC_ENABLED": "false",
        "GF_SECURITY_ADMIN_USER": "admin",
        "GF_SECURITY_ADMIN_PASSWORD": "admin",
    },
    interval="15s",
    dashboards=DASHBOARDS,
)
