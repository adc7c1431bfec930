"""The CNI plugin, and objects of other projects that istiod or an operator reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.core.kinds import GroupKind
from mesh.upgrade.changes import Place
from mesh.upgrade.subject import Hit, Subject

_GATEWAY_API: Final = "networking.x-k8s.io"
_OPERATOR: Final = GroupKind("IstioOperator", "install.istio.io")


def cni_files(subject: Subject) -> Iterator[Hit]:
    """The CNI plugin, if there is one."""
    if subject.before.values.cni.enabled:
        yield Hit(Place("mesh:cni"))


def gateway_api(subject: Subject) -> Iterator[Hit]:
    """Objects of the Gateway API's first versions."""
    yield from (Hit(Place.of(obj)) for obj in subject.mesh.objects if obj.kind.group == _GATEWAY_API)


def operator(subject: Subject) -> Iterator[Hit]:
    """The IstioOperators from which an operator in the cluster installs Istio."""
    yield from (Hit(Place.of(obj)) for obj in subject.mesh.objects if obj.kind == _OPERATOR)


RULES: Final = {
    "cni-files": cni_files,
    "gateway-api": gateway_api,
    "operator": operator,
}
