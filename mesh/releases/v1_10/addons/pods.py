"""Parts of the pods of all addons of Istio 1.10's samples."""

from __future__ import annotations

from typing import Final

from mesh.core.names import INJECT_LABEL

NO_SIDECAR: Final = {INJECT_LABEL: "false"}
"""The annotation of pods that get no sidecar."""
