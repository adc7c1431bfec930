"""The description of a simulated control plane."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A simulated control plane."""

    release: str
    """Name of its release, such as `1.10`."""
    revision: str
    namespace: str
    service: str
    """Name of its Service."""
    address: str
    """Address of its Service, on which it listens."""
    folder: str
    """The folder with its certificate, `tls.crt` and `tls.key`."""

    def text(self) -> str:
        """The plane as JSON."""
        return json.dumps(asdict(self))
