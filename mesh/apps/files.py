"""Objects from files, for analysis, maps and comparisons without a cluster or a stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import SYSTEM
from mesh.apps.item import place, twice
from mesh.apps.scopes import cluster_scoped
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import INJECT_LABEL, NAMESPACE_LABEL
from mesh.manifests import Manifest, ManifestError
from mesh.proxy.proxy import CONTAINER

NAMESPACE: Final = "default"
"""The namespace of objects that name none, as for kubectl."""
_CALLER: Final = "any-caller"
_GATEWAY: Final = "istio-ingressgateway"
_LABELS: Final = {"istio": "ingressgateway"}
_PORTS: Final = {"http2": (80, 8080), "https": (443, 8443), "tcp": (31400, 31400), "tls": (15443, 15443)}
"""Ports of the ingress gateway that istioctl assumes, by name: the Service's and the pods'."""


def objects(manifests: Iterable[Manifest]) -> list[Object]:
    """The objects of manifests, each with its namespace, and with the file and line of its fields. Raises ManifestError
    if two are the same object."""
    found = list(manifests)
    scoped = cluster_scoped(found)
    read = [_object(manifest, scoped) for manifest in found]
    named = zip((obj.ref for obj in read), found, strict=True)
    if problems := list(twice(named, "leave one of them out, or name one of the files alone")):
        raise ManifestError("\n".join(problems))
    return read


def _object(manifest: Manifest, scoped: Set[GroupKind]) -> Object:
    meta = {key: value for key, value in manifest.body["metadata"].items() if key != "namespace"}
    if manifest.kind not in scoped:
        meta["namespace"] = manifest.body["metadata"].get("namespace") or NAMESPACE
    return replace(Object.read({**manifest.body, "metadata": meta}), written=partial(place, manifest))


def on_top(below: Iterable[Object], above: Iterable[Object]) -> list[Object]:
    """All objects, those `above` in place of those `below` of the same group, kind, namespace and name."""
    upper = list(above)
    names = {obj.ref for obj in upper}
    return [*(obj for obj in below if obj.ref not in names), *upper]


def assumed(mesh: Mesh) -> list[Object]:
    """Objects that are assumed in addition to those of the files, which rarely contain everything that a cluster has:
    an ingress gateway, as istioctl assumes, and namespaces with injection for those that the files do not contain."""
    gateway = () if mesh.workloads.select(_LABELS) else _ingress_gateway(mesh.home)
    others = sorted(mesh.known_namespaces - {mesh.home, *SYSTEM} - set(mesh.namespaces))
    made = map(Object.read, [*gateway, *(_namespace(name) for name in others)])
    return [obj for obj in made if not mesh.get(obj.ref)]


def callers(mesh: Mesh) -> list[Object]:
    """A pod with a sidecar for each namespace with a Service, since files often do not contain the callers."""
    places = dict.fromkeys(obj.namespace for obj in mesh.of(kinds.SERVICE) if obj.namespace != mesh.home)
    return [Object.read(_caller(namespace)) for namespace in places]


def _caller(namespace: str) -> Mapping[str, Any]:
    meta = {"name": _CALLER, "namespace": namespace, "labels": {INJECT_LABEL: "true"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "app"}]}}


def _namespace(name: str) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {NAMESPACE_LABEL: "enabled"}}}


def _ingress_gateway(namespace: str) -> Iterator[Mapping[str, Any]]:
    meta = {"name": _GATEWAY, "namespace": namespace, "labels": _LABELS}
    ports = [
        {"name": name, "port": port, "targetPort": target, "protocol": "TCP"} for name, (port, target) in _PORTS.items()
    ]
    container = {"name": CONTAINER, "ports": [{"containerPort": target} for _, target in _PORTS.values()]}
    yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    yield {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": _LABELS, "ports": ports}}
