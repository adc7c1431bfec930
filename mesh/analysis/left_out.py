"""The codes of `istioctl analyze` that this analysis leaves out, each with the reason, for docs/analysis.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OF_DEFINITIONS: Final = (
    "Only `istioctl x precheck` reports it, for CRDs on the cluster that serve only old versions;"
    " `IST0176` covers the same problem."
)
_OF_CLUSTER: Final = "It concerns a running cluster: [precheck](precheck.md) checks that."
_OF_UPGRADE: Final = "It concerns upgrades: see [releases](releases.md)."
_ELSEWHERE: Final = "It concerns a control plane outside of the cluster, whose address no object contains."

LEFT_OUT: Final[Mapping[str, str]] = {
    "IST0001": "An internal error of istioctl.",
    "IST0113": "No supported release reports it any more; `MESH0202` and `MESH0203` cover the same problem.",
    "IST0119": "No supported release reports it any more; `MESH0209` covers the same problem.",
    "IST0122": "An invalid expression, wherever it is, is refused together with its object: `IST0106`.",
    "IST0136": "It is reported for most annotations, and asks for no action.",
    "IST0141": _OF_CLUSTER,
    "IST0142": _OF_CLUSTER,
    "IST0143": _OF_CLUSTER,
    "IST0156": _OF_DEFINITIONS,
    "IST0163": _ELSEWHERE,
    "IST0164": _ELSEWHERE,
    "IST0165": "Gateways that istiod creates from the Gateway API have no valid names for `gateways`: `IST0106`.",
    "IST0168": _OF_UPGRADE,
    "IST0169": _OF_UPGRADE,
    "IST0170": "It concerns services of several clusters.",
    "IST0171": _OF_CLUSTER,
    "IST0172": _OF_DEFINITIONS,
}
"""Reasons by code."""
