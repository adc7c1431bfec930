"""Checks Telemetries: they select workloads, only one applies to each, and access logs go somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh import releases
from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, selector_labels, targets
from mesh.analysis.rules import sole
from mesh.core import kinds

_LOGGING: Final = "Telemetry.accessLogging"


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Telemetry selects a workload or applies to a namespace."""
    return sole.findings(mesh, kinds.TELEMETRY, "selector", codes.TELEMETRY_CLASH, codes.DEFAULT_TELEMETRIES)


def access_logs(mesh: Mesh) -> Iterator[Finding]:
    """Access logging has a provider: of its own, of a Telemetry for the namespace or the mesh, or of MeshConfig."""
    telemetries = mesh.of(kinds.TELEMETRY)
    if not telemetries or _LOGGING in releases.lacks(mesh.release.name):
        return
    if (mesh.config.get("defaultProviders") or {}).get("accessLogging"):
        return
    wide = [obj for obj in telemetries if not selector_labels(obj) and not targets(obj)]
    naming = [obj for obj in wide if any(entry.get("providers") for entry in obj.items("accessLogging"))]
    for obj in telemetries:
        inherited = [one for one in naming if one is not obj and one.namespace in (mesh.root, obj.namespace)]
        for i, entry in enumerate(obj.items("accessLogging") if not inherited else ()):
            if not entry.get("providers") and not entry.get("disabled"):
                default = f"{mesh.by('mesh:meshConfig.', 'MeshConfig: ')}defaultProviders.accessLogging"
                text = f"logs nothing without a provider: name one in providers, or set {default}"
                yield codes.LOG_WITHOUT_PROVIDER.at(obj, f"accessLogging[{i}]", text)


def tracers(mesh: Mesh) -> Iterator[Finding]:
    """No spans go to a provider of the deprecated kind `lightstep`."""
    old = {one.get("name") for one in mesh.config.get("extensionProviders") or () if one.get("lightstep")}
    for obj in mesh.of(kinds.TELEMETRY) if old else ():
        for i, entry in enumerate(obj.items("tracing")):
            for j, provider in enumerate(entry.get("providers") or ()):
                if provider.get("name") in old:
                    text = f"provider {provider['name']} is of kind lightstep: use one of kind opentelemetry"
                    yield codes.DEPRECATED.at(obj, f"tracing[{i}].providers[{j}]", text)


RULES: Final = (selectors, access_logs, tracers)
