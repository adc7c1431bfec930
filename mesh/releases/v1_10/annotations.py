"""The annotations of Istio 1.10."""

from __future__ import annotations

from typing import Final

from mesh.core import kinds
from mesh.releases.common.annotations import DEPRECATED, READERS
from mesh.releases.release import Annotations

ANNOTATIONS: Final = Annotations(
    readers={**READERS, "sidecar.istio.io/enableCoreDump": (kinds.POD,)},
    deprecated=DEPRECATED,
)
