"""Manual injection by an installation's control plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh import proxy
from mesh.releases.release import Installation


def with_sidecar(mesh: Installation, workload: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a workload with the sidecar that this control plane would inject into its pods.

    Raises InjectionError if the workload cannot be injected."""
    release = mesh.release
    values, config = release.injection_values(mesh), release.mesh_config(mesh)
    return proxy.inject(workload, release.injector, release.proxy_config, values, config, mesh.values.revision)
