"""The plan of the live data plane: its processes and their addresses.

Pilot and every proxy have their own loopback addresses in the lower part of the Service range, from which the API
server assigns addresses only on request. So each can listen on the same port as on a real cluster.
"""

import ipaddress
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any, ClassVar, Final

from mesh import bookinfo

PILOT: Final = "live-pilot"
SYNC: Final = "live-sync"
STAND_INS: Final = "live-stand-ins"
"""Names of the processes; those of the proxies begin with `live-proxy-`."""

XDS_PORT: Final = 15010
PILOT_HTTP_PORT: Final = 8080
ADMIN_PORT: Final = 15000
APP_PORT: Final = 15081
"""Port on which a stand-in listens; its proxy listens on the ports of the pods. It is next to the ports that Istio's
proxies use, so pods do not use it themselves."""
GRPC_PORT: Final = 15082
"""Port of a stand-in's gRPC server, to which it forwards gRPC connections on APP_PORT."""

PRIVILEGED: Final = 1024
"""Port below which only root may listen."""
_UNPRIVILEGED: Final = 64000

_BOOKINFO: Final = tuple((name, version) for name, versions in bookinfo.VERSIONS.items() for version in versions)
"""The workloads of Bookinfo, by the labels `app` and `version` of their pods."""

_INBOUND: Final = 101
_OUTBOUND: Final = 151
"""Indexes of the first addresses in the Service range, for inbound and outbound listeners. The API server assigns the
addresses below index 256 only on request."""
_PAIRS: Final = (
    *zip(range(_INBOUND, _OUTBOUND), range(_OUTBOUND, 201), strict=True),
    *((index, index + 1) for start, end in ((202, 254), (12, 100)) for index in range(start, end, 2)),
)
"""Indexes of the two addresses of each place (a slot for pilot or a proxy)."""
MOST: Final = len(_PAIRS) - 1
"""The largest number of proxies; pilot has a place, too."""

NAME_LABELS: Final = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
VERSION_LABELS: Final = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
"""Labels of pods with the name and the version of their service, in the order in which Istio reads them."""


@dataclass(frozen=True)
class DeclaredWorkload:
    """A workload as the cluster declares it, without an address."""

    name: str
    """Name of the Deployment, StatefulSet, …, or of the pod itself if nothing controls it."""
    namespace: str
    labels: Mapping[str, str]
    """Labels of its pods."""
    ports: Mapping[str, int]
    """Ports of its containers by name."""

    @property
    def bookinfo(self) -> tuple[str, str]:
        """The values of the labels `app` and `version`, which identify Bookinfo's workloads."""
        return self.labels.get("app", ""), self.labels.get("version", "")


@dataclass(frozen=True)
class Workload(DeclaredWorkload):
    """A stand-in with its sidecar."""

    kind: ClassVar = "sidecar"
    """The type of its proxy, as in Envoy's node id."""
    key: str
    """Its name among all proxies."""
    address: str
    """Address of its proxy's inbound listeners, and of the stand-in itself."""
    outbound: str
    """Address of its proxy's outbound listeners: one for each port of the Services that it may call."""

    @property
    def service(self) -> str:
        """The name of its service."""
        return next((self.labels[one] for one in NAME_LABELS if self.labels.get(one)), self.name)

    @property
    def version(self) -> str:
        """Its version; empty if its pods have no label with one."""
        return next((self.labels[one] for one in VERSION_LABELS if self.labels.get(one)), "")

    @property
    def mark(self) -> dict[str, str]:
        """A label that its proxy alone has, whatever the labels of its pods."""
        return {"mesh/stand-in": self.address}


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

    @property
    def key(self) -> str:
        """Its name among all proxies."""
        return self.name


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
    """Bookinfo's namespace; empty without Bookinfo."""
    root: str
    """Istio's namespace."""
    config_root: str
    """The root namespace, whose objects of Istio's API apply to the whole mesh."""
    mesh_config: str
    """Name of the ConfigMap with the MeshConfig, in `root`."""
    version: str
    """Version of the installed Istio, which the `proxyVersion` of EnvoyFilters is matched against."""
    defaults: Mapping[str, str]
    """Environment variables that give pilot the defaults of the installed Istio (`Requests.pilot`)."""
    domain: str
    """The cluster's DNS domain, such as `cluster.local`."""
    ingress: str
    """Name of the ingress gateway; one of `edges`."""
    edges: tuple[DeclaredGateway, ...]
    identity: Identity | None = None
    """None if the proxies have no certificates."""
    declared: tuple[DeclaredWorkload, ...] = ()
    """The workloads that have stand-ins."""
    places: Mapping[str, int] = field(default_factory=dict)
    """The place of pilot and of each proxy, by the proxy's key: a number that determines its addresses."""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Plan":
        """The plan of a plan file. Raises TypeError if another version of this program wrote it."""
        if PILOT not in kept.get("places", ()):
            raise TypeError("a plan without a place for pilot")
        edges = tuple(DeclaredGateway(**edge) for edge in kept["edges"])
        identity = Identity(**kept["identity"]) if kept.get("identity") else None
        declared = tuple(DeclaredWorkload(**one) for one in kept["declared"])
        return cls(**{**kept, "edges": edges, "identity": identity, "declared": declared})

    def serving(
        self, found: Sequence[DeclaredWorkload], former: Mapping[str, int], taken: Collection[int] = ()
    ) -> "Plan":
        """The plan with stand-ins for workloads, up to the number of places. A proxy keeps its former place, so that it
        need not be restarted. In a new plan Bookinfo's workloads come first, then the gateways, then all others. Places
        in `taken` are not used."""
        own = sorted((one for one in found if self.is_bookinfo(one)), key=lambda one: _BOOKINFO.index(one.bookinfo))
        others = sorted((one for one in found if one not in own), key=lambda one: (one.namespace, one.name))
        declared = (*own, *others)[: MOST - len(self.edges)]
        keys = [self._key(one) for one in declared]
        ordered = [PILOT, *keys[: len(own)], *(edge.name for edge in self.edges), *keys[len(own) :]]
        return replace(self, declared=declared, places=_places(ordered, former, taken))

    @property
    def leaves_room(self) -> bool:
        """Whether there is room for a second set of the same number of proxies."""
        return 2 * len(self.places) <= len(_PAIRS)

    def starts_anew(self, former: "Plan") -> bool:
        """Whether every proxy of a former plan has to be restarted, for example for another release of Istio."""
        return any(getattr(self, name) != getattr(former, name) for name in ("identity", "version", "domain"))

    def is_bookinfo(self, workload: DeclaredWorkload) -> bool:
        """Whether a workload is one of Bookinfo's."""
        return workload.namespace == self.namespace and workload.bookinfo in _BOOKINFO

    @property
    def text(self) -> str:
        """The content of a plan file, as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @property
    def pilot(self) -> str:
        """Pilot's address."""
        return self._addresses(self.places[PILOT])[0]

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        return tuple(self._workload(one, self._key(one)) for one in self.declared)

    @cached_property
    def gateways(self) -> tuple[Gateway, ...]:
        return tuple(
            Gateway(edge.name, edge.namespace, edge.labels, self._addresses(self.places[edge.name])[0])
            for edge in self.edges
        )

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """The gateways and workloads, each of which has an Envoy."""
        return (*self.gateways, *self.workloads)

    def host(self, service: str, namespace: str) -> str:
        """The fully qualified host name of a Service."""
        return f"{service}.{namespace}.svc.{self.domain}"

    def _workload(self, declared: DeclaredWorkload, key: str) -> Workload:
        address, outbound = self._addresses(self.places[key])
        return Workload(**vars(declared), key=key, address=address, outbound=outbound)

    def _key(self, workload: DeclaredWorkload) -> str:
        return workload.name if workload.namespace == self.namespace else f"{workload.name}.{workload.namespace}"

    def _addresses(self, place: int) -> tuple[str, str]:
        network = ipaddress.ip_network(self.service_range)
        inbound, outbound = _PAIRS[place]
        return str(network[inbound]), str(network[outbound])


def _places(keys: Sequence[str], former: Mapping[str, int], taken: Collection[int]) -> dict[str, int]:
    """A place for each key: its former one, otherwise the first that is free."""
    kept = {key: former[key] for key in keys if key in former}
    free = (place for place in count() if place not in {*kept.values(), *taken})
    return {key: kept[key] if key in kept else next(free) for key in keys}


def bound(port: int) -> int:
    """The port on which a proxy listens for a port of a Service or of its pods. Privileged ports are moved, since only
    root may listen on them."""
    return port if port >= PRIVILEGED else port + _UNPRIVILEGED
