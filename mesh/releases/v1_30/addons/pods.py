"""Parts of the pods of all addons of Istio 1.30's samples, and the security that Kubernetes calls `restricted`."""

from __future__ import annotations

from typing import Any, Final

from mesh.core.names import INJECT_LABEL

NO_SIDECAR: Final = {INJECT_LABEL: "false"}
"""The label of pods that get no sidecar."""
_SYSTEM_CALLS: Final = {"seccompProfile": {"type": "RuntimeDefault"}}

CONTAINER: Final[dict[str, Any]] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""The security context of a container."""
READ_ONLY: Final[dict[str, Any]] = {**CONTAINER, "readOnlyRootFilesystem": True}
"""The same of a container that writes only to its volumes."""


def user(number: int) -> dict[str, Any]:
    """The security context of a pod that runs as this user, the one of its image."""
    return {
        "runAsUser": number,
        "runAsGroup": number,
        "fsGroup": number,
        "runAsNonRoot": True,
        **_SYSTEM_CALLS,
    }


IMAGES_USER: Final[dict[str, Any]] = {"runAsNonRoot": True, **_SYSTEM_CALLS}
"""The security context of a pod that runs as the user of its image."""
