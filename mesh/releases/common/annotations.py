"""Istio's annotations that all releases know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.proxy import proxyconfig

_POD: Final = (
    "inject.istio.io/templates",
    "istio.io/rev",
    "prometheus.istio.io/merge-metrics",
    proxyconfig.ANNOTATION,
    "proxy.istio.io/overrides",
    *(
        f"sidecar.istio.io/{name}"
        for name in (
            *("agentLogLevel", "bootstrapOverride", "componentLogLevel", "discoveryAddress", "extraStatTags", "inject"),
            *("logLevel", "proxyCPU", "proxyCPULimit", "proxyImage", "proxyMemory", "proxyMemoryLimit"),
            *("rewriteAppHTTPProbers", "statsInclusionPrefixes", "statsInclusionRegexps", "statsInclusionSuffixes"),
            *("status", "userVolume", "userVolumeMount"),
        )
    ),
)
READERS: Final[Mapping[str, tuple[GroupKind, ...]]] = {
    **dict.fromkeys(_POD, (kinds.POD,)),
    "alpha.istio.io/canonical-serviceaccounts": (kinds.SERVICE,),
    "alpha.istio.io/kubernetes-serviceaccounts": (kinds.SERVICE,),
    "galley.istio.io/analyze-suppress": (),
    "kubernetes.io/ingress.class": (kinds.INGRESS,),
    "networking.istio.io/exportTo": (kinds.SERVICE,),
    "topology.istio.io/controlPlaneClusters": (kinds.NAMESPACE,),
    "traffic.istio.io/nodeSelector": (kinds.SERVICE,),
}
"""The kinds that read each annotation, beside the pods' that the injector checks; an empty tuple means all kinds."""
DEPRECATED: Final[Mapping[str, str]] = {
    "alpha.istio.io/canonical-serviceaccounts": "",
    "alpha.istio.io/kubernetes-serviceaccounts": "",
    "sidecar.istio.io/discoveryAddress": f"discoveryAddress in {proxyconfig.ANNOTATION}",
    **{
        f"sidecar.istio.io/statsInclusion{part}": f"proxyStatsMatcher.inclusion{part} in {proxyconfig.ANNOTATION}"
        for part in ("Prefixes", "Regexps", "Suffixes")
    },
}
"""The replacement of each deprecated annotation; empty if there is none."""
