"""The plan of the live data plane: its processes and their addresses.

Pilot and every proxy have a loopback address of their own in the lower part of the Service range, from which the API
server assigns no address by itself. So each listens on the same port as on a real cluster.
"""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from mesh import bookinfo

PILOT: Final = "live-pilot"
SYNC: Final = "live-sync"
STAND_INS: Final = "live-stand-ins"
"""Names of the processes; those of the proxies begin with `live-proxy-`."""

XDS_PORT: Final = 15010
PILOT_HTTP_PORT: Final = 8080
ADMIN_PORT: Final = 15000
APP_PORT: Final = 9081
"""Port on which a stand-in listens; its proxy listens on the port of the Service."""

WORKLOADS: Final = tuple((name, version) for name, versions in bookinfo.VERSIONS.items() for version in versions)
"""The stand-ins, by the labels `app` and `version` of Bookinfo's pods."""

_INBOUND: Final = 101
_OUTBOUND: Final = 151
"""Indexes of the first addresses in the Service range, for inbound and outbound listeners. The API server assigns the
addresses below index 256 only on request."""


@dataclass(frozen=True)
class Workload:
    """A stand-in with its sidecar."""

    kind: ClassVar = "sidecar"
    """The type of its proxy, as in Envoy's node id."""
    app: str
    version: str
    address: str
    """Address of its proxy's inbound listeners, and of the stand-in itself."""
    outbound: str
    """Address of its proxy's outbound listeners: one for each port of the Services that it may call."""

    @property
    def name(self) -> str:
        return f"{self.app}-{self.version}"

    @property
    def labels(self) -> dict[str, str]:
        return {"app": self.app, "version": self.version}


@dataclass(frozen=True)
class Gateway:
    """A gateway's proxy."""

    kind: ClassVar = "router"
    name: str
    """Name of its Service."""
    namespace: str
    labels: Mapping[str, str]
    """Labels of its pods, by which Gateway objects select it."""
    address: str


Proxy = Gateway | Workload


@dataclass(frozen=True)
class DeclaredGateway:
    """A gateway as a stack declares it, without an address."""

    name: str
    namespace: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Identity:
    """Where proxies get their certificates."""

    ca: str
    """Name of istiod's Service, in the root namespace."""
    cluster: str
    """The cluster's name, as istiod knows it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The live data plane of one stack."""

    service_range: str
    stack: str
    """Name of the stack that it belongs to."""
    namespace: str
    """Bookinfo's namespace."""
    root: str
    """Istio's root namespace."""
    mesh_config: str
    """Name of the ConfigMap with the MeshConfig, in `root`."""
    version: str
    """Version of the installed Istio, which the `proxyVersion` of EnvoyFilters is matched against."""
    defaults: Mapping[str, str]
    """Environment variables with which pilot has the defaults of the installed Istio (`Requests.pilot`)."""
    domain: str
    """The cluster's DNS domain, such as `cluster.local`."""
    ingress: str
    """Name of the ingress gateway; one of `edges`."""
    edges: tuple[DeclaredGateway, ...]
    identity: Identity | None = None
    """None if the proxies have no certificates."""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Plan":
        """The plan of a plan file. Raises TypeError if another release of this program wrote it."""
        edges = tuple(DeclaredGateway(**edge) for edge in kept["edges"])
        identity = Identity(**kept["identity"]) if kept.get("identity") else None
        return cls(**{**kept, "edges": edges, "identity": identity})

    @property
    def text(self) -> str:
        """The content of a plan file, as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @property
    def pilot(self) -> str:
        """Pilot's address."""
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
        """The gateways and workloads, each of which has an Envoy."""
        return (*self.gateways, *self.workloads)

    def namespace_of(self, proxy: Proxy) -> str:
        return proxy.namespace if isinstance(proxy, Gateway) else self.namespace

    def host(self, service: str, namespace: str) -> str:
        """The fully qualified host name of a Service."""
        return f"{service}.{namespace}.svc.{self.domain}"

    def _address(self, place: int) -> str:
        return str(ipaddress.ip_network(self.service_range)[place])
