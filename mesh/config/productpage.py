"""Where a browser finds Bookinfo: by its own way in, or by a host of `mesh:traffic`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh import bookinfo, releases
from mesh.analysis import hosts, objects, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.config.settings import INGRESS, Settings
from mesh.core.names import ROOT
from mesh.requests.routing import Proxy, Routes
from mesh.requests.types import Request
from mesh.traffic import ingress
from mesh.traffic.config import ROOT as TRAFFIC
from mesh.traffic.ingress import Ingress
from mesh.traffic.objects import ConfigObject

_STANDARD: Final = {"http": ingress.HTTP, "https": ingress.HTTPS}


@dataclass(frozen=True, kw_only=True)
class ProductPage:
    """A gateway, a host and a port by which a browser finds the product page."""

    gateway: str
    internal_host: str
    """The gateway's name inside the cluster."""
    host: str | None = None
    """The host that has to be asked for; any if None."""
    scheme: str = "http"
    port: int = ingress.HTTP
    """Port of the gateway's Service."""
    port_name: str = "http2"
    """How that port is called."""

    def url(self, gateway: Mapping[str, Any], node: str | None) -> str:
        """The address, by the gateway's facts; `node` is a node's address. In words where nothing reaches it yet."""
        if gateway.get("type") == "LoadBalancer":
            addresses = gateway.get("addresses")
            return self._at(addresses[0], self.port) if addresses else "the load balancer has no address yet"
        if gateway.get("type") == "NodePort":
            return self._at(node or "<address of a node>", gateway.get("nodePorts", {}).get(self.port_name))
        return f"{self._at(self.internal_host, self.port)} (inside the cluster)"

    def _at(self, address: str, port: int | None) -> str:
        shown = "" if port == _STANDARD[self.scheme] else f":{port}"
        return f"{self.scheme}://{self.host or address}{shown}{bookinfo.PAGE_PATH}"


def find(settings: Settings, made: Iterable[ConfigObject]) -> ProductPage | None:
    """The product page at Bookinfo's own gateway, or else at the first entry of `mesh:traffic.hosts` that leads to it;
    None without Bookinfo or a way in. `made`: the objects of `mesh:traffic`."""
    if settings.bookinfo is None:
        return None
    if settings.bookinfo.gateway:
        return ProductPage(gateway=INGRESS, internal_host=_internal_host(settings, INGRESS))
    routes = {item.path: item for item in made if item.body.kind == "VirtualService"}
    page = hosts.full(bookinfo.PRODUCT_PAGE, settings.bookinfo.namespace, settings.global_.proxy.clusterDomain)
    for name, entry in settings.traffic.hosts.items():
        found = _of(entry, settings)
        if found and page in _receivers(routes[f"{TRAFFIC}.hosts.{name}"], found, settings):
            return found
    return None


def _internal_host(settings: Settings, gateway: str) -> str:
    spec = settings.gateways.get(gateway)
    namespace = (spec.namespace if spec else None) or ROOT
    return f"{gateway}.{namespace}.svc.{settings.global_.proxy.clusterDomain}"


def _of(entry: Ingress, settings: Settings) -> ProductPage | None:
    """The product page at an entry; None if that has only hosts such as `*.example.com`, of which nobody knows
    which exist."""
    named = next((host for host in entry.hosts if not host.startswith(hosts.ALL)), None)
    if named is None and hosts.ALL not in entry.hosts:
        return None
    return ProductPage(
        gateway=entry.gateway,
        internal_host=_internal_host(settings, entry.gateway),
        host=named,
        scheme="https" if entry.tls else "http",
        port=entry.served,
        port_name=next(port.name for port in settings.gateways[entry.gateway].ports if port.port == entry.served),
    )


def _receivers(routes: ConfigObject, at: ProductPage, settings: Settings) -> set[str]:
    """Full names of the services that get a request for the page."""
    asked = Request(
        host=at.host or at.internal_host, path=bookinfo.PAGE_PATH, port=at.port, secure=at.scheme == "https"
    )
    thing = objects.Object.read(routes.manifest(releases.get(settings.release).api))
    gateways = tuple(f"{ref.namespace}/{ref.name}" for _, _, ref in virtual_services.gateways(thing))
    proxy = Proxy(namespace=thing.namespace, labels={}, gateways=gateways)
    mesh = Mesh([thing], settings.mesh_names)
    chosen = Routes(mesh).choose([thing], asked, proxy)
    named = (destination["host"] for destination, _ in virtual_services.shares(chosen.route)) if chosen else ()
    return {mesh.full(host, thing.namespace) for host in named}
