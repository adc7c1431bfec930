"""Grafana, as Istio 1.10's sample has it: version 7."""

from __future__ import annotations

from typing import Final

from mesh.releases.addons import Grafana
from mesh.releases.v1_10.addons.dashboards import DASHBOARDS
from mesh.releases.v1_10.addons.pods import NO_SIDECAR

_VERSION: Final = "7.4.3"
_SELECTOR: Final = {"app.kubernetes.io/name": "grafana", "app.kubernetes.io/instance": "grafana"}
_USER: Final = 472
"""The uid of the image's user."""

GRAFANA: Final = Grafana(
    image=f"grafana/grafana:{_VERSION}",
    selector=_SELECTOR,
    labels={**_SELECTOR, "app.kubernetes.io/version": _VERSION},
    pod_labels={"app": "grafana", **_SELECTOR},
    annotations=NO_SIDECAR,
    security={"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER},
    data="/data",
    ini={
        "analytics": {"check_for_updates": "true"},
        "grafana_net": {"url": "https://grafana.net"},
        "log": {"mode": "console"},
    },
    port="service",
    open={
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
        "GF_AUTH_BASIC_ENABLED": "false",
        "GF_SECURITY_ADMIN_USER": "-",
        "GF_SECURITY_ADMIN_PASSWORD": "-",
    },
    interval="5s",
    dashboards=DASHBOARDS,
)
