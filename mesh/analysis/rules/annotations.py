"""Checks Istio's annotations: they exist, are on a kind that reads them, and have valid values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mesh import releases
from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.suppression import ANNOTATION
from mesh.core import errors, kinds
from mesh.core.kinds import GroupKind
from mesh.proxy import proxyconfig
from mesh.proxy.annotations import Check, refused

_POD: Final = (
    "inject.istio.io/templates",
    "istio.io/rev",
    "prometheus.istio.io/merge-metrics",
    proxyconfig.ANNOTATION,
    "proxy.istio.io/overrides",
    "sidecar.istio.io/agentLogLevel",
    "sidecar.istio.io/bootstrapOverride",
    "sidecar.istio.io/componentLogLevel",
    "sidecar.istio.io/discoveryAddress",
    "sidecar.istio.io/enableCoreDump",
    "sidecar.istio.io/extraStatTags",
    "sidecar.istio.io/inject",
    "sidecar.istio.io/logLevel",
    "sidecar.istio.io/proxyCPU",
    "sidecar.istio.io/proxyCPULimit",
    "sidecar.istio.io/proxyImage",
    "sidecar.istio.io/proxyMemory",
    "sidecar.istio.io/proxyMemoryLimit",
    "sidecar.istio.io/rewriteAppHTTPProbers",
    "sidecar.istio.io/statsInclusionPrefixes",
    "sidecar.istio.io/statsInclusionRegexps",
    "sidecar.istio.io/statsInclusionSuffixes",
    "sidecar.istio.io/status",
    "sidecar.istio.io/userVolume",
    "sidecar.istio.io/userVolumeMount",
)
_KINDS: Final[Mapping[str, tuple[GroupKind, ...]]] = {
    **dict.fromkeys(_POD, (kinds.POD,)),
    "alpha.istio.io/canonical-serviceaccounts": (kinds.SERVICE,),
    "alpha.istio.io/kubernetes-serviceaccounts": (kinds.SERVICE,),
    "kubernetes.io/ingress.class": (kinds.INGRESS,),
    "networking.istio.io/exportTo": (kinds.SERVICE,),
    "topology.istio.io/controlPlaneClusters": (kinds.NAMESPACE,),
    "traffic.istio.io/nodeSelector": (kinds.SERVICE,),
    ANNOTATION: (),
}
"""The kinds that read each annotation; an empty tuple means all kinds."""


def istio_annotations(mesh: Mesh) -> Iterator[Finding]:
    """Annotations of Namespaces, Services, Deployments and pods."""
    release = releases.get(mesh.names.release or releases.DEFAULT)
    checks = release.injector.annotations
    for kind in (kinds.NAMESPACE, kinds.SERVICE, kinds.DEPLOYMENT):
        for obj in mesh.of(kind):
            yield from _of(obj, obj.annotations, kind, "metadata.annotations", checks)
    for workload in mesh.workloads.all:
        obj = workload.object
        path = "metadata.annotations" if obj.kind == kinds.POD else "spec.template.metadata.annotations"
        yield from _of(obj, workload.annotations, kinds.POD, path, checks)
        if workload.proxy and proxyconfig.ANNOTATION in workload.annotations:
            rules = release.proxy_config, release.refused_proxy_config
            for text in proxyconfig.problems(*rules, mesh.config, workload.annotations, injected=not workload.gateway):
                yield codes.INVALID_ANNOTATION.at(obj, path, text)


def _of(
    obj: Object, annotations: Mapping[str, str], kind: GroupKind, path: str, checks: Mapping[str, Check]
) -> Iterator[Finding]:
    known = {**_KINDS, **dict.fromkeys(checks, (kinds.POD,))}
    for name, value in annotations.items():
        if not name.partition("/")[0].endswith("istio.io") and name not in known:
            continue
        readers = known.get(name)
        if readers is None:
            text = f"Istio knows no annotation {name}{errors.nearest(name, known)}"
            yield codes.UNKNOWN_ANNOTATION.at(obj, path, text)
        elif readers and kind not in readers:
            text = f"{name} does nothing on a {kind}: it belongs on a {' or '.join(map(str, readers))}"
            yield codes.MISPLACED_ANNOTATION.at(obj, path, text)
        elif name in checks and (text := refused(checks[name], value)):
            yield codes.INVALID_ANNOTATION.at(obj, path, f"{name}: {text}")


RULES: Final = (istio_annotations,)
