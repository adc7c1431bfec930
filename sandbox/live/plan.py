"""Who takes part in the live data plane, and at which address.

Pilot, every proxy and every stand-in has a loopback address of its own, below those that the API server gives
to Services by itself. So each of them listens on the port that it has on a real cluster, and none is to be chosen.
"""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

from mesh import bookinfo

PILOT: Final = "live-pilot"
SYNC: Final = "live-sync"
STAND_INS: Final = "live-stand-ins"
"""Names of the processes; those of the proxies begin with `live-proxy-`."""

XDS_PORT: Final = 15010
PILOT_HTTP_PORT: Final = 8080
ADMIN_PORT: Final = 15000
APP_PORT: Final = 9081
"""Where a stand-in listens; its proxy is before it, on the port of the Service."""

WORKLOADS: Final = tuple((name, version) for name, versions in bookinfo.VERSIONS.items() for version in versions)
"""What there are stand-ins for: the labels `app` and `version` of Bookinfo's pods."""

_INBOUND: Final = 101
_OUTBOUND: Final = 151
"""Places of the first addresses in the Service range. Up to 256 the API server gives only what is asked for."""


@dataclass(frozen=True)
class Workload:
    """A stand-in with its sidecar."""

    app: str
    version: str
    address: str
    """Where its proxy takes calls from others."""
    outbound: str
    """Where its proxy takes its own calls: each on the port of the Service that is called."""

    @property
    def name(self) -> str:
        return f"{self.app}-{self.version}"

    @property
    def labels(self) -> dict[str, str]:
        return {"app": self.app, "version": self.version}


@dataclass(frozen=True)
class Gateway:
    """A proxy at the edge."""

    name: str
    """That of its Service."""
    namespace: str
    labels: Mapping[str, str]
    """Those of its pods, by which Gateways select it."""
    address: str


Proxy = Gateway | Workload


@dataclass(frozen=True)
class DeclaredGateway:
    """A gateway without its address, as a stack declares it."""

    name: str
    namespace: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that runs, for one stack."""

    service_range: str
    stack: str
    """Name of the stack."""
    namespace: str
    """Where Bookinfo is."""
    root: str
    """Where Istio is."""
    mesh_config: str
    """Name of the ConfigMap with the mesh's configuration, in `root`."""
    version: str
    """Of the Istio that is installed: what EnvoyFilters are matched with."""
    domain: str
    """The cluster's DNS domain, such as `cluster.local`."""
    ingress: str
    """Name of the gateway that lets visitors in; one of `edges`."""
    edges: tuple[DeclaredGateway, ...]

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Plan":
        """The plan that was kept. TypeError if another release kept it."""
        return cls(**{**kept, "edges": tuple(DeclaredGateway(**edge) for edge in kept["edges"])})

    @property
    def text(self) -> str:
        """The plan as it is handed to other processes."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @property
    def pilot(self) -> str:
        """Address of pilot."""
        return self._address(_INBOUND)

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        return tuple(
            Workload(*labels, self._address(_INBOUND + place), self._address(_OUTBOUND + place))
            for place, labels in enumerate(WORKLOADS, 1)
        )

    @cached_property
    def gateways(self) -> tuple[Gateway, ...]:
        places = enumerate(self.edges, _INBOUND + len(WORKLOADS) + 1)
        return tuple(Gateway(edge.name, edge.namespace, edge.labels, self._address(place)) for place, edge in places)

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """Everyone who has an Envoy."""
        return (*self.gateways, *self.workloads)

    def host(self, service: str, namespace: str) -> str:
        """The full name of a Service."""
        return f"{service}.{namespace}.svc.{self.domain}"

    def _address(self, place: int) -> str:
        return str(ipaddress.ip_network(self.service_range)[place])
