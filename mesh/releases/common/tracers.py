"""The tracers of the proxies as MeshConfig has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.core.names import ZIPKIN, ZIPKIN_PORT
from mesh.releases.release import Installation
from mesh.values.tracers import DatadogTracer


def tracers(mesh: Installation, collector: str = "") -> Mapping[str, Mapping[str, Any]]:
    """The settings of each tracer that follow from the values; what is empty there has its default, if there is one.
    `collector` takes the place of Zipkin's."""
    given = mesh.values.global_.tracer
    lightstep = {"address": given.lightstep.address, "accessToken": given.lightstep.accessToken}
    return {
        "zipkin": {"address": given.zipkin.address or collector or f"{ZIPKIN}.{mesh.root}:{ZIPKIN_PORT}"},
        "lightstep": {name: value for name, value in lightstep.items() if value},
        "datadog": {"address": given.datadog.address or DatadogTracer().address},
        "stackdriver": given.stackdriver.config,
        "openCensusAgent": {},
    }
