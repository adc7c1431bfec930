"""The CNI plugin, and objects of other projects that istiod or an operator reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.core.kinds import GroupKind
from mesh.upgrade.changes import Place
from mesh.upgrade.subject import Hit, Subject

_EXPERIMENT: Final = "networking.x-k8s.io"
_GATEWAY_API: Final = "gateway.networking.k8s.io"
_ALPHA: Final = f"{_GATEWAY_API}/v1alpha2"
_STABLE: Final = ("Gateway", "GatewayClass", "HTTPRoute")
"""Kinds that have a `v1`."""
_OPERATOR: Final = GroupKind("IstioOperator", "install.istio.io")


def cni_files(subject: Subject) -> Iterator[Hit]:
    """The CNI plugin, if there is one."""
    if subject.before.values.cni.enabled:
        yield Hit(Place("mesh:cni"))


def experiment(subject: Subject) -> Iterator[Hit]:
    """Objects of the Gateway API's first version."""
    yield from (Hit(Place.of(obj)) for obj in subject.mesh.objects if obj.kind.group == _EXPERIMENT)


def alpha(subject: Subject) -> Iterator[Hit]:
    """Objects of its second version, of the kinds that have a stable one."""
    for obj in subject.mesh.objects:
        if obj.body["apiVersion"] == _ALPHA and obj.kind.name in _STABLE:
            yield Hit(Place.of(obj, "apiVersion"), {"version": _ALPHA})


def operator(subject: Subject) -> Iterator[Hit]:
    """What an operator in the cluster installs from."""
    yield from (Hit(Place.of(obj)) for obj in subject.mesh.objects if obj.kind == _OPERATOR)


RULES: Final = {
    "cni-files": cni_files,
    "gateway-api-experiment": experiment,
    "gateway-api-alpha": alpha,
    "operator": operator,
}
