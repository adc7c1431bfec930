"""The URL of Bookinfo's product page: at Bookinfo's own Gateway, or at a host of `mesh:traffic.hosts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh import bookinfo
from mesh.analysis import hosts, objects, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.config.settings import INGRESS, Settings
from mesh.requests.routing import Proxy, Routes
from mesh.requests.types import Request
from mesh.traffic import ingress
from mesh.traffic.config import ROOT as TRAFFIC
from mesh.traffic.ingress import Ingress
from mesh.traffic.objects import ConfigObject

_DEFAULT_PORTS: Final = {"http": ingress.HTTP, "https": ingress.HTTPS}


@dataclass(frozen=True, kw_only=True)
class ProductPage:
    """The gateway, host and port at which the product page is served."""

    gateway: str
    internal_host: str
    """Host name of the gateway's Service inside the cluster."""
    host: str | None = None
    """Host that the URL needs; None if the gateway serves the page at any host."""
    scheme: str = "http"
    port: int = ingress.HTTP
    """Port of the gateway's Service."""
    port_name: str = "http2"
    """Name of that port."""

    def url(self, gateway: Mapping[str, Any], node: str | None) -> str:
        """The page's URL, or a text if it is not reachable from outside (yet). `gateway` is the gateway's entry in the
        stack's outputs; `node` is the address of a node."""
        if gateway.get("type") == "LoadBalancer":
            addresses = gateway.get("addresses")
            return self._at(addresses[0], self.port) if addresses else "the load balancer has no address yet"
        if gateway.get("type") == "NodePort":
            return self._at(node or "<address of a node>", gateway.get("nodePorts", {}).get(self.port_name))
        return f"{self._at(self.internal_host, self.port)} (inside the cluster)"

    def _at(self, address: str, port: int | None) -> str:
        shown = "" if port == _DEFAULT_PORTS[self.scheme] else f":{port}"
        return f"{self.scheme}://{self.host or address}{shown}{bookinfo.PAGE_PATH}"


def find(settings: Settings, traffic: Iterable[ConfigObject]) -> ProductPage | None:
    """The product page at Bookinfo's own Gateway, or else at the first entry of `mesh:traffic.hosts` that routes to it;
    None if the stack does not have Bookinfo or no gateway routes to it. `traffic` has the objects of `mesh:traffic`."""
    if settings.bookinfo is None:
        return None
    if settings.bookinfo.gateway:
        return ProductPage(gateway=INGRESS, internal_host=_internal_host(settings, INGRESS))
    routes = {item.path: item for item in traffic if item.body.kind == "VirtualService"}
    page = hosts.full_name(bookinfo.PRODUCT_PAGE, settings.bookinfo.namespace, settings.global_.proxy.clusterDomain)
    for name, entry in settings.traffic.hosts.items():
        found = _at_entry(entry, settings)
        if found and page in _destinations(routes[f"{TRAFFIC}.hosts.{name}"], found, settings):
            return found
    return None


def _internal_host(settings: Settings, gateway: str) -> str:
    spec = settings.gateways.get(gateway)
    namespace = (spec.namespace if spec else None) or settings.root
    return hosts.full_name(gateway, namespace, settings.global_.proxy.clusterDomain)


def _at_entry(entry: Ingress, settings: Settings) -> ProductPage | None:
    """The product page at an entry of `mesh:traffic.hosts`; None if all its hosts are wildcards such as
    `*.example.com`, from which no URL follows."""
    named = next((host for host in entry.hosts if not host.startswith(hosts.ALL)), None)
    if named is None and hosts.ALL not in entry.hosts:
        return None
    return ProductPage(
        gateway=entry.gateway,
        internal_host=_internal_host(settings, entry.gateway),
        host=named,
        scheme="https" if entry.secured else "http",
        port=entry.served_port,
        port_name=next(port.name for port in settings.gateways[entry.gateway].ports if port.port == entry.served_port),
    )


def _destinations(routes: ConfigObject, at: ProductPage, settings: Settings) -> set[str]:
    """Full host names of the services to which a request for the page is routed."""
    asked = Request(
        host=at.host or at.internal_host, path=bookinfo.PAGE_PATH, port=at.port, secure=at.scheme == "https"
    )
    thing = objects.Object.read(routes.manifest(settings.installation.api))
    gateways = tuple(f"{ref.namespace}/{ref.name}" for _, _, ref in virtual_services.gateways(thing))
    proxy = Proxy(namespace=thing.namespace, labels={}, gateways=gateways)
    mesh = Mesh([thing], settings.mesh_names)
    chosen = Routes(mesh).choose([thing], asked, proxy)
    named = (
        (destination["host"] for destination, _ in virtual_services.weighted_destinations(chosen.route))
        if chosen
        else ()
    )
    return {mesh.full_host(host, thing.namespace) for host in named}
