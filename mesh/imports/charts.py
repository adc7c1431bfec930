"""Helm values of Istio's charts, recognized by their keys, as the values of one IstioOperator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.core.merge import merged
from mesh.imports.source import Data, GatewayChart, Source, SourceError, as_map
from mesh.values import upstream

GATEWAY: Final = "gateway"
CHARTS: Final = ("base", "istiod", "cni", "ztunnel", GATEWAY)
"""The names of the charts."""
_TELLING: Final[Mapping[str, frozenset[str]]] = {
    "istiod": frozenset(("pilot", "meshConfig", "sidecarInjectorWebhook", "telemetry", "istio_cni", "pdb")),
    "cni": frozenset(("cni", "cniBinDir", "cniConfDir", "excludeNamespaces", "ambient", "repair")),
    GATEWAY: frozenset(("autoscaling", "service", "networkGateway", "labels", "serviceAccount")),
    "ztunnel": frozenset(("xdsAddress", "caAddress", "terminationGracePeriodSeconds", "l7Telemetry")),
    "base": frozenset(("base", "defaultRevision")),
}
"""Keys by which the values of a chart are recognized, the most specific chart first."""
_IN_NAMES: Final[Mapping[str, str]] = {
    "istiod": "istiod",
    "discovery": "istiod",
    "cni": "cni",
    "ztunnel": "ztunnel",
    "gateway": GATEWAY,
    "ingress": GATEWAY,
    "egress": GATEWAY,
    "base": "base",
}
"""Charts by a part of a file's name."""


@dataclass(frozen=True, kw_only=True)
class File:
    """Values of a chart in a file."""

    origin: str
    stem: str
    """The file's name without its ending."""
    values: Data
    chart: str = ""
    """The chart that the user names, such as `gateway:edge`; empty if the keys must tell."""


def of_files(files: Sequence[File], origin: str) -> Source:
    """The source of the values. Raises SourceError if the chart of any values is unknown."""
    values: Data = {}
    gateways = list[GatewayChart]()
    components: dict[str, Data] = {}
    for file in files:
        chart, _, name = (file.chart or _chart(file)).partition(":")
        if chart == GATEWAY:
            called = name or str(file.values.get("name") or file.stem.removesuffix("-values").removesuffix(".values"))
            gateways.append(GatewayChart(name=called, values=file.values))
        else:
            values = merged(values, as_map(_placed(chart, file.values).get("values")))
        if chart in ("cni", "ztunnel"):
            components[chart] = {"enabled": True}
    spec = {"values": values, **({"components": components} if components else {})}
    return Source(origin=origin, form="Helm values", spec=spec, gateway_charts=gateways, lists_gateways=True)


def _placed(chart: str, values: Data) -> Data:
    """The values at their places in an IstioOperator."""
    found: Data = {}
    for key, value in values.items():
        nested = value
        for step in reversed(upstream.in_chart(chart, (str(key),))):
            nested = {step: nested}
        found = merged(found, nested)
    return found


def _chart(file: File) -> str:
    named = next((chart for part, chart in _IN_NAMES.items() if part in file.stem.lower()), "")
    found = named or next((chart for chart, keys in _TELLING.items() if keys & set(file.values)), "")
    if not found:
        raise SourceError(
            f"{file.origin}: it is unclear which chart these values are for: name it, such as"
            f" FROM=istiod={file.origin} (charts: {', '.join(CHARTS)}; of a gateway with its name: {GATEWAY}:NAME=…)"
        )
    return found
