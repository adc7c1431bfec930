"""The keys of a stack that the settings of Istio's IstioOperator and Helm charts correspond to.

Istio's paths are those below `spec` of an IstioOperator: `components.pilot.k8s.resources`, `values.global.hub`. For the
top level of a Helm chart, `CHARTS` has a path: `service.type` of the chart `gateway` is `gateway.service.type`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

ENTRY: Final = "[]"
"""The step of a path into an element of a list."""
NAME: Final = "NAME"
"""The step that stands for the name of a gateway, in places."""

CHARTS: Final[Mapping[str, str]] = {
    "base": "values",
    "istiod": "values.pilot",
    "istio-cni": "values.cni",
    "cni": "values.cni",
    "ztunnel": "values.ztunnel",
    "istio-ingress": "values",
    "istio-egress": "values",
    "istiod-remote": "values",
    "gateway": "gateway",
}
"""The path that stands for the top level of a chart, by the chart's name."""

_SHARED: Final = """
    base cni compatibilityVersion defaultRevision experimental gatewayClasses gateways global istio_cni istiodRemote
    meshConfig ownerName pdb pilot platform profile revision revisionTags sidecarInjectorWebhook telemetry ztunnel
"""
_SHARED_BY: Final[Mapping[str, str]] = {
    "gateway": "global",
    "ztunnel": "global",
    "istiod": _SHARED.replace(" cni ", " "),
}
"""The keys that charts share: they are below `values`, whatever chart they are in. Some charts share fewer: `cni` in
the chart `istiod` is a key of this chart alone."""

_DEPLOYMENT: Final[Mapping[str, str]] = {
    ".hpaSpec.minReplicas": ".autoscaleMin",
    ".hpaSpec.maxReplicas": ".autoscaleMax",
    ".hpaSpec.behavior": ".autoscaleBehavior",
    ".strategy.rollingUpdate.maxSurge": ".rollingMaxSurge",
    ".strategy.rollingUpdate.maxUnavailable": ".rollingMaxUnavailable",
}
"""Places of the keys below `k8s` in a component that is a Deployment, each below the component's own place."""


_PILOT: Final[Mapping[str, str]] = {
    ".service.ipFamilies": ".ipFamilies",
    ".service.ipFamilyPolicy": ".ipFamilyPolicy",
    ".service.trafficDistribution": ".trafficDistribution",
}
"""The same for istiod alone."""
_SERVICE: Final[Mapping[str, str]] = {
    f".service.{field}": f".{field}"
    for field in (
        "externalTrafficPolicy",
        "ipFamilies",
        "ipFamilyPolicy",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "ports",
        "type",
    )
}
"""The same for gateways alone."""


def _component(path: str, here: str, k8s: Mapping[str, str]) -> dict[str, str]:
    """The places of an IstioOperator's component."""
    parts = {f"{path}.k8s{below}": f"{here}{place}" for below, place in k8s.items()}
    return {path: here, **parts, f"{path}.k8s.overlays": "patches"}


def _gateways(path: str) -> dict[str, str]:
    """The places of a list of gateways."""
    here = f"gateways.{NAME}"
    k8s = {"": "", **_DEPLOYMENT, **_SERVICE}
    return {**_component(f"{path}.{ENTRY}", here, k8s), f"{path}.{ENTRY}.label": f"{here}.labels"}


_OPERATOR: Final[Mapping[str, str]] = {
    "namespace": "global.istioNamespace",
    **_component("components.base", "base", {}),
    **_component("components.pilot", "pilot", {"": "", **_DEPLOYMENT, **_PILOT}),
    "components.pilot.namespace": "global.istioNamespace",
    **_component("components.istiodRemote", "istiodRemote", {}),
    "components.istiodRemote.namespace": "global.istioNamespace",
    **_component("components.cni", "cni", {"": "", ".imagePullPolicy": ".pullPolicy"}),
    **_component("components.ztunnel", "ztunnel", {"": ""}),
    **_gateways("components.ingressGateways"),
    **_gateways("components.egressGateways"),
}
"""Places of the keys of an IstioOperator other than its values."""

_VALUES: Final[Mapping[str, str]] = {
    "values": "",
    "values.global.hub": "hub",
    "values.global.tag": "tag",
    "values.global.profile": "profile",
    "values.platform": "global.platform",
    "values.defaultRevision": "revisionTags.default",
    "values.pilot.istiodRemote": "istiodRemote",
    "values.gateways.securityContext": "injectedGateways.securityContext",
    "values.gateways.seccompProfile": "injectedGateways.seccompProfile",
    "values.ztunnel.compatibilityVersion": "compatibilityVersion",
    "values.ztunnel.imagePullSecrets": "global.imagePullSecrets",
    "values.ztunnel.istioNamespace": "global.istioNamespace",
    "values.ztunnel.logAsJson": "global.logAsJson",
    "values.ztunnel.meshConfig.defaultConfig.proxyMetadata": "ztunnel.proxyMetadata",
    "values.ztunnel.multiCluster": "global.multiCluster",
    "values.ztunnel.ownerName": "ownerName",
    "values.ztunnel.platform": "global.platform",
    "values.ztunnel.resourceScope": "global.resourceScope",
    "values.ztunnel.revision": "revision",
    "values.ztunnel.trustBundleName": "global.trustBundleName",
}
"""Places of the values of an IstioOperator, and of all charts but `gateway`."""

_GATEWAY: Final[Mapping[str, str]] = {
    f"gateway{path}": f"gateways.{NAME}{place}"
    for path, place in {
        "": "",
        ".autoscaling.autoscaleBehavior": ".autoscaleBehavior",
        ".autoscaling.enabled": ".autoscaleEnabled",
        ".autoscaling.maxReplicas": ".autoscaleMax",
        ".autoscaling.minReplicas": ".autoscaleMin",
        ".autoscaling.targetCPUUtilizationPercentage": ".cpu.targetAverageUtilization",
        ".autoscaling.targetMemoryUtilizationPercentage": ".memory.targetAverageUtilization",
        ".kind": ".daemonSet",  # `kind` is the direction of the traffic here
        ".service.annotations": ".serviceAnnotations",
        ".service.selectorLabels": ".selectorLabels",
        ".strategy.rollingUpdate.maxSurge": ".rollingMaxSurge",
        ".strategy.rollingUpdate.maxUnavailable": ".rollingMaxUnavailable",
        **_SERVICE,
    }.items()
} | {
    "gateway.compatibilityVersion": "compatibilityVersion",
    "gateway.imagePullSecrets": "global.imagePullSecrets",
    "gateway.ownerName": "ownerName",
    "gateway.platform": "global.platform",
}
"""Places of the values of the chart `gateway`."""

PLACES: Final[Mapping[str, str]] = {**_OPERATOR, **_VALUES, **_GATEWAY}
"""Places by path. The longest of these paths with which a path begins determines its place; the steps after it stay the
same. A path that begins with none of them is its own place."""

_BY_STEPS: Final = {tuple(path.split(".")): tuple(filter(None, place.split("."))) for path, place in PLACES.items()}


def place(path: Sequence[str]) -> tuple[str, ...]:
    """The path of the key `mesh:…` that corresponds to a path of Istio, both in steps. The key need not exist: the
    release may lack it, or refuse it (`mesh.releases.refusals`)."""
    steps = tuple(path)
    for length in range(len(steps), 0, -1):
        if (found := _BY_STEPS.get(steps[:length])) is not None:
            return found + steps[length:]
    return steps


def has_parts_elsewhere(path: Sequence[str]) -> bool:
    """Whether a part of the value at a path of Istio has a place of its own."""
    steps = tuple(path)
    return any(other[: len(steps)] == steps and len(other) > len(steps) for other in _BY_STEPS)


def in_chart(chart: str, path: Sequence[str]) -> tuple[str, ...]:
    """The path of a value in the file of a Helm chart, as `place` takes it. Raises KeyError for a chart that `CHARTS`
    does not have."""
    root = tuple(CHARTS[chart].split("."))
    return ("values", *path) if path[0] in _SHARED_BY.get(chart, _SHARED).split() else (*root, *path)
