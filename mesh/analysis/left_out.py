"""The codes of `istioctl analyze` that are not looked for, each with the reason; docs/analysis.md is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OF_DEFINITIONS: Final = (
    "Said by `istioctl x precheck` alone, of definitions on the cluster that serve old versions only;"
    " `IST0176` is about the same."
)
_OF_CLUSTER: Final = "A condition of a running cluster: [precheck](precheck.md) asks it."
_OF_UPGRADE: Final = "Of an upgrade: see [releases](releases.md)."
_ELSEWHERE: Final = "A control plane outside of the cluster, whose address nothing here tells."

LEFT_OUT: Final[Mapping[str, str]] = {
    "IST0001": "A mistake of istioctl itself.",
    "IST0113": "No analyzer of the releases says it any more; `MESH0202` and `MESH0203` are about the same.",
    "IST0119": "No analyzer of the releases says it any more; `MESH0209` is about the same.",
    "IST0122": "An expression that is invalid is refused with its object: `IST0106`, wherever it stands.",
    "IST0136": "It is said of most annotations, and asks for nothing.",
    "IST0141": _OF_CLUSTER,
    "IST0142": _OF_CLUSTER,
    "IST0143": _OF_CLUSTER,
    "IST0156": _OF_DEFINITIONS,
    "IST0163": _ELSEWHERE,
    "IST0164": _ELSEWHERE,
    "IST0165": "Gateways that istiod makes of the Gateway API's have no valid name for `gateways`: `IST0106`.",
    "IST0168": _OF_UPGRADE,
    "IST0169": _OF_UPGRADE,
    "IST0170": "Services of several clusters.",
    "IST0171": _OF_CLUSTER,
    "IST0172": _OF_DEFINITIONS,
}
"""Reasons by code."""
