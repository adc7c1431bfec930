"""Checks the user that containers run as."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.core import pods
from mesh.proxy.proxy import CONTAINER

_PROXY_USER: Final = 1337
"""The user ID of the proxy."""


def users(mesh: Mesh) -> Iterator[Finding]:
    """Only the proxy runs as user 1337, whose traffic is not redirected."""
    for workload in mesh.workloads.all:
        if workload.gateway or "istio" in workload.object.labels:
            continue
        contexts = [("", workload.pod.get("securityContext") or {})]
        for container in pods.running_containers(workload.pod):
            if container.name != CONTAINER:
                contexts.append((f"{container.path}.", container.body.get("securityContext") or {}))
        for place, context in contexts:
            if context.get("runAsUser") == _PROXY_USER:
                text = (
                    f"user {_PROXY_USER} is the sidecar's own, and its traffic bypasses the sidecar: use another number"
                )
                yield codes.PROXY_USER.at(workload.object, f"{place}securityContext.runAsUser", text)


RULES: Final = (users,)
