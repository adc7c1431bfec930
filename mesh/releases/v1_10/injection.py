"""The injection templates of Istio 1.10, as text that its injector runs."""

from __future__ import annotations

from mesh.proxy.injection.source import PRELUDE, TemplateSource
from mesh.proxy.injection.template import render
from mesh.releases.v1_10 import sidecar


def templates() -> dict[str, str]:
    """The Go templates by name: `sidecar`, the default, and `gateway`, which a pod asks for by annotation."""
    source = TemplateSource()
    return {
        "sidecar": render(sidecar.sidecar(source), PRELUDE),
        "gateway": render(sidecar.gateway(source), PRELUDE),
    }
