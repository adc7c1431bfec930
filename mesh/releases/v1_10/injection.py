"""The injector of Istio 1.10: its templates, rendered from the model in `sidecar.py`, and what else it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mesh.core.names import INJECT_LABEL
from mesh.proxy import metrics
from mesh.proxy.annotations import CHECKS, boolean
from mesh.proxy.injection.inputs import PRELUDE, TemplateInputs
from mesh.proxy.injection.template import render
from mesh.proxy.injector import Injector
from mesh.proxy.probes import Rewrites
from mesh.releases.v1_10 import sidecar

_YES: Final = ("y", "yes", "true", "on")


def templates() -> dict[str, str]:
    """The Go templates by name: `sidecar`, the default, and `gateway`, which a pod selects by annotation."""
    inputs = TemplateInputs()
    return {
        "sidecar": render(sidecar.sidecar(inputs), PRELUDE),
        "gateway": render(sidecar.gateway(inputs), PRELUDE),
    }


def _requested(notes: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """The annotation wins over the label, which the webhook's selector reads; both may have any of YAML's booleans."""
    requested = notes.get(INJECT_LABEL) or labels.get(INJECT_LABEL) or "true"
    return requested.lower() in _YES


def _asks(notes: Mapping[str, str], _: Mapping[str, str]) -> bool | None:
    """Only the webhook's selectors read the label."""
    said = notes.get(INJECT_LABEL)
    return said.lower() in _YES if said else None


INJECTOR: Final = Injector(
    sidecar=sidecar.sidecar,
    annotations={**CHECKS, "sidecar.istio.io/enableCoreDump": boolean},
    requested=_requested,
    asks=_asks,
    scheduled=re.compile(r"(.+)-([+-]\d{9}|\d{10})"),
    cron_jobs="batch/v1beta1",
    repeats=False,
    network_by_label=False,
    merge_metrics=metrics.merge,
    rewrites=Rewrites(actions=("httpGet",)),
    reads=lambda mesh: {name: mesh.get(name) for name in ("defaultConfig", "trustDomain", "enablePrometheusMerge")},
    variables=(),
    status_revision=False,
)
