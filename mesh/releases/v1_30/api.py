"""The kinds of Istio 1.30's API and the versions in which it serves them; the first is the storage version."""

from __future__ import annotations

from typing import Final

from mesh.api import Versions
from mesh.releases.v1_30.checks import MISPLACED, REFUSED

_NETWORKING: Final = ("v1", "v1alpha3", "v1beta1")
_SECURITY: Final = ("v1", "v1beta1")

VERSIONS: Final = Versions(
    {
        "AuthorizationPolicy": _SECURITY,
        "DestinationRule": _NETWORKING,
        "EnvoyFilter": ("v1alpha3",),
        "Gateway": _NETWORKING,
        "PeerAuthentication": _SECURITY,
        "ProxyConfig": ("v1beta1",),
        "RequestAuthentication": _SECURITY,
        "ServiceEntry": _NETWORKING,
        "Sidecar": _NETWORKING,
        "Telemetry": ("v1alpha1", "v1"),
        "TrafficExtension": ("v1alpha1",),
        "VirtualService": _NETWORKING,
        "WasmPlugin": ("v1alpha1",),
        "WorkloadEntry": _NETWORKING,
        "WorkloadGroup": _NETWORKING,
    },
    enforced=True,
    refused=REFUSED,
    misplaced=MISPLACED,
)
