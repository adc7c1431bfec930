"""The kinds of Istio 1.10's API and the versions in which it serves them; the first is the storage version."""

from __future__ import annotations

from typing import Final

from mesh.api import Versions
from mesh.releases.common.checks import MISPLACED
from mesh.releases.v1_10.checks import REFUSED

_NETWORKING: Final = ("v1alpha3", "v1beta1")

VERSIONS: Final = Versions(
    {
        "AuthorizationPolicy": ("v1beta1",),
        "DestinationRule": _NETWORKING,
        "EnvoyFilter": ("v1alpha3",),
        "Gateway": _NETWORKING,
        "PeerAuthentication": ("v1beta1",),
        "RequestAuthentication": ("v1beta1",),
        "ServiceEntry": _NETWORKING,
        "Sidecar": _NETWORKING,
        "Telemetry": ("v1alpha1",),
        "VirtualService": _NETWORKING,
        "WorkloadEntry": _NETWORKING,
        "WorkloadGroup": ("v1alpha3",),
    },
    names={"AuthorizationPolicy": {"short": (), "columns": ()}, "WorkloadGroup": {"kept_by_helm": False}},
    refused=REFUSED,
    misplaced=MISPLACED,
)
