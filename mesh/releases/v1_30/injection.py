"""The injection templates of Istio 1.30, rendered from the models in `sidecar.py` and `managed.py`."""

from __future__ import annotations

from mesh.proxy.injection.inputs import PRELUDE, TemplateInputs
from mesh.proxy.injection.template import render
from mesh.releases.v1_30 import sidecar


def templates() -> dict[str, str]:
    """The Go templates by name: `sidecar`, the default, and `gateway`, which a pod selects by annotation."""
    inputs = TemplateInputs()
    return {
        "sidecar": render(sidecar.sidecar(inputs), PRELUDE),
        "gateway": render(sidecar.gateway(inputs), PRELUDE),
    }
