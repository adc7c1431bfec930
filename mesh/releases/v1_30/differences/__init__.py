"""What changed in meaning from Istio 1.10 to 1.30."""

from __future__ import annotations

from typing import Final

from mesh.releases.differences import Differences
from mesh.releases.v1_30.differences import filters, gone, installation, proxies, security, traffic

DIFFERENCES: Final = Differences(
    changed={
        **traffic.CHANGED,
        **security.CHANGED,
        **proxies.CHANGED,
        **filters.CHANGED,
        **installation.CHANGED,
    },
    settings=gone.SETTINGS,
    variables=gone.VARIABLES,
    annotations=gone.ANNOTATIONS,
    profiles=gone.PROFILES,
    filters=filters.GONE,
    filter_names=filters.NAMES,
)
