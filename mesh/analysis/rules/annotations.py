"""Checks Istio's annotations: they exist, are on a kind that reads them, and have valid values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from mesh.analysis import codes
from mesh.analysis.findings import Code, Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import errors, kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import INJECT_LABEL
from mesh.proxy import proxyconfig
from mesh.proxy.annotations import Check, refused
from mesh.releases.release import Annotations


def istio_annotations(mesh: Mesh) -> Iterator[Finding]:
    """Annotations of Namespaces, Services, Deployments and pods."""
    release = mesh.release
    known, checks = release.annotations, release.injector.annotations
    for kind in (kinds.NAMESPACE, kinds.SERVICE, kinds.DEPLOYMENT):
        for obj in mesh.of(kind):
            place = _Place(obj, kind, "metadata.annotations", obj.labels)
            yield from _of(place, obj.annotations, known, checks)
    for workload in mesh.workloads.all:
        obj = workload.object
        path = "metadata.annotations" if obj.kind == kinds.POD else "spec.template.metadata.annotations"
        yield from _of(_Place(obj, kinds.POD, path, workload.labels), workload.annotations, known, checks)
        if workload.proxy and proxyconfig.ANNOTATION in workload.annotations:
            rules = release.proxy_config, release.refused_proxy_config
            for text in proxyconfig.problems(*rules, mesh.config, workload.annotations, injected=not workload.gateway):
                yield codes.INVALID_ANNOTATION.at(obj, path, text)


class _Place(NamedTuple):
    """Where annotations are."""

    obj: Object
    kind: GroupKind
    """The kind that has them: the object's, or Pod for those of a pod template."""
    path: str
    labels: Mapping[str, str]
    """The labels beside them."""

    def at(self, code: Code, text: str) -> Finding:
        return code.at(self.obj, self.path, text)


def _of(
    place: _Place, annotations: Mapping[str, str], known: Annotations, checks: Mapping[str, Check]
) -> Iterator[Finding]:
    readers_of = {**dict.fromkeys(checks, (kinds.POD,)), **known.readers}
    for name, value in annotations.items():
        if not name.partition("/")[0].endswith("istio.io") and name not in readers_of:
            continue
        readers = readers_of.get(name)
        if name in known.deprecated and not (name == INJECT_LABEL and name in place.labels):
            instead = known.deprecated[name]
            text = f"{name} is deprecated{f': use {instead}' if instead else ''}"
            yield place.at(codes.DEPRECATED_ANNOTATION, text)
        if readers is None:
            text = f"Istio knows no annotation {name}{errors.nearest(name, readers_of)}"
            yield place.at(codes.UNKNOWN_ANNOTATION, text)
        elif readers and place.kind not in readers:
            text = f"{name} does nothing on a {place.kind}: it belongs on a {' or '.join(map(str, readers))}"
            yield place.at(codes.MISPLACED_ANNOTATION, text)
        elif name in checks and (text := refused(checks[name], value)):
            yield place.at(codes.INVALID_ANNOTATION, f"{name}: {text}")


RULES: Final = (istio_annotations,)
