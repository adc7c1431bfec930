"""The subject of an upgrade check: the present objects, and the control plane before and after the upgrade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import REVISION_LABEL
from mesh.releases.release import Installation
from mesh.upgrade.changes import Place

_INSTALLED: Final = ("install.operator.istio.io/owning-resource", "operator.istio.io/component")
"""Labels of objects that Istio's own tools install."""
_DNS_CAPTURE: Final = "ISTIO_META_DNS_CAPTURE"
_DNS_ALLOCATION: Final = "ISTIO_META_DNS_AUTO_ALLOCATE"


class Hit(NamedTuple):
    """A place that a difference between the releases affects."""

    place: Place
    words: Mapping[str, str] = {}
    """The values of the placeholders in the texts of the difference."""


class Proxy(NamedTuple):
    """A running proxy on a cluster."""

    pod: Object
    image: str
    version: str
    """Such as `1.10.3`; empty if the image does not show it."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The objects and the two installations."""

    mesh: Mesh
    before: Installation
    after: Installation
    kubernetes: tuple[int, int] | None = None
    """The version of the cluster's Kubernetes, as (major, minor); None if it is unknown."""
    proxies: Sequence[Proxy] = ()
    """The proxies on the cluster that the stack does not replace."""

    def of_istio(self, obj: Object) -> bool:
        """Whether an object belongs to the control plane, and so is replaced together with it."""
        marked = REVISION_LABEL in obj.labels or any(label in obj.labels for label in _INSTALLED)
        return obj.namespace in (self.mesh.home, self.mesh.root) and marked

    def own(self, kind: kinds.GroupKind) -> Iterator[Object]:
        """The objects of a kind that do not belong to the control plane."""
        return (obj for obj in self.mesh.of(kind) if not self.of_istio(obj))

    @cached_property
    def injected(self) -> Sequence[Workload]:
        """The workloads that get their sidecar from the injector."""
        return [one for one in self.mesh.workloads.all if one.injected and not one.gateway]

    @cached_property
    def called(self) -> Sequence[Service]:
        """The services that proxies of the mesh call, without those of the control plane and of gateways."""
        return [one for one in self.mesh.services.all if not self.of_istio(one.object) and not self._leads_out(one)]

    def _leads_out(self, service: Service) -> bool:
        found = self.mesh.workloads_of(service)
        return bool(found) and all(workload.gateway for workload in found)

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata that all proxies have."""
        found: Mapping[str, str] = self.proxy_config.get("proxyMetadata") or {}
        return found

    @property
    def proxy_config(self) -> Mapping[str, Any]:
        """The settings for all proxies (`mesh:meshConfig.defaultConfig`)."""
        found: Mapping[str, Any] = self.mesh_config.get("defaultConfig") or {}
        return found

    @cached_property
    def mesh_config(self) -> Mapping[str, Any]:
        """The fields of MeshConfig in the settings."""
        return self.before.values.meshConfig.model_dump(exclude_none=True)

    @property
    def captures_dns(self) -> bool:
        """Whether all proxies answer DNS requests."""
        return self.metadata.get(_DNS_CAPTURE) == "true"

    @property
    def allocates(self) -> bool:
        """Whether all proxies already allocate addresses for hosts."""
        return self.metadata.get(_DNS_ALLOCATION) == "true"

    @property
    def traces(self) -> bool:
        """Whether the settings name a receiver for the proxies' spans."""
        return self.before.traced or bool(self.before.collector or self.proxy_config.get("tracing"))
