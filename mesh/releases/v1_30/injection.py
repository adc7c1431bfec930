"""The injector of Istio 1.30: its templates, rendered from the models in `sidecar.py` and `managed.py`, and what else
it does with pods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import INJECT_LABEL
from mesh.proxy import metrics, telemetry
from mesh.proxy.annotations import CHECKS, interfaces, quantity
from mesh.proxy.injection.inputs import PRELUDE, TemplateInputs
from mesh.proxy.injection.template import render
from mesh.proxy.injector import Injector
from mesh.proxy.overrides import RESOURCES
from mesh.proxy.probes import Rewrites
from mesh.proxy.redirect import INTERFACES
from mesh.proxy.workload import NATIVE_SIDECARS
from mesh.releases.v1_30 import env, managed, redirect, sidecar, volumes


def templates() -> dict[str, str]:
    """The Go templates by name: `sidecar`, the default, and `gateway`, which a pod selects by annotation.

    From `kube-gateway` and `waypoint` istiod makes the objects of a Gateway of the Gateway API.
    """
    inputs = TemplateInputs()
    return {
        "sidecar": render(sidecar.sidecar(inputs), PRELUDE),
        "gateway": render(sidecar.gateway(inputs), PRELUDE),
        "kube-gateway": "---\n".join(map(render, managed.kube_gateway(inputs))),
        "waypoint": "---\n".join(map(render, managed.waypoint(inputs))),
    }


def _read(mesh: Mapping[str, Any]) -> dict[str, Any]:
    ports = ("proxyListenPort", "proxyInboundListenPort")
    fields = ("defaultConfig", "trustDomain", "enablePrometheusMerge", "inboundTrafficPolicy", *ports)
    return {**{name: mesh.get(name) for name in fields}, telemetry.PROVIDERS: telemetry.enriching(mesh) or None}


def _requested(notes: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """The label wins over the annotation; a value other than `true` or `false` counts as not set."""
    return _asks(notes, labels) is not False


def _asks(notes: Mapping[str, str], labels: Mapping[str, str]) -> bool | None:
    return {"true": True, "false": False}.get(labels.get(INJECT_LABEL, notes.get(INJECT_LABEL, "")))


INJECTOR: Final = Injector(
    sidecar=sidecar.sidecar,
    annotations={
        **CHECKS,
        **dict.fromkeys((INTERFACES, redirect.EXCLUDED, redirect.REROUTED), interfaces),
        **{name: quantity for names in RESOURCES.values() for name in names.values()},
    },
    requested=_requested,
    asks=_asks,
    scheduled=re.compile(r"(.+)-\d{8,10}"),
    cron_jobs="batch/v1",
    repeats=True,
    network_by_label=True,
    merge_metrics=metrics.merge_any_spelling,
    rewrites=Rewrites(actions=("httpGet", "tcpSocket", "grpc"), hooks=True, init_containers=True),
    reads=_read,
    variables=(NATIVE_SIDECARS, env.COMPLIANCE, volumes.TRUST_BUNDLES),
    status_revision=True,
)
