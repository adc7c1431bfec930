"""The networks of a mesh: which endpoints are in each, and the gateways through which others reach it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_interface
from typing import Annotated, Any

from pydantic import AfterValidator

from mesh.core.errors import show
from mesh.core.kubernetes import Domain, Host, Name, PortNumber
from mesh.core.typed import Documented, Findings


def _range(value: str) -> str:
    try:
        ip_interface(value)
    except ValueError:
        raise ValueError(f'{show(value)} is not a range of addresses: write it like "10.0.0.0/8"') from None
    return value


Range = Annotated[str, AfterValidator(_range)]
"""A range of addresses in CIDR notation. Like Istio, it accepts any address in the range before the slash."""


class NetworkEndpoint(Documented):
    """Endpoints of a network: those of a cluster, or those in a range of addresses."""

    fromRegistry: Name | None = None
    """Name of a cluster: its `global.multiCluster.clusterName`."""
    fromCidr: Range | None = None
    """Range of addresses in CIDR notation, such as `192.168.0.0/24`."""

    def check(self) -> Findings:
        yield from super().check()
        if bool(self.fromRegistry) == bool(self.fromCidr):
            yield (), "needs exactly one of fromRegistry, fromCidr"


class NetworkGateway(Documented):
    """A gateway through which other networks reach a network."""

    address: Host | None = None
    """IP address of the gateway, from 1.30 on also its host name."""
    registryServiceName: Domain | None = None
    """Full name of the gateway's Service, such as `istio-eastwestgateway.istio-system.svc.cluster.local`, whose address
    is looked up."""
    port: PortNumber
    """Port of the gateway."""
    locality: str = ""
    """Where the gateway is, such as `us-east1/b`; anywhere if empty."""

    def check(self) -> Findings:
        yield from super().check()
        if bool(self.address) == bool(self.registryServiceName):
            yield (), "needs exactly one of address, registryServiceName"


class Network(Documented):
    """A network: endpoints that reach each other without a gateway."""

    endpoints: tuple[NetworkEndpoint, ...] = ()
    """The endpoints that are in it."""
    gateways: tuple[NetworkGateway, ...] = ()
    """The gateways through which other networks reach it."""


def wire(networks: Mapping[str, Network]) -> dict[str, Any]:
    """The networks in the form that istiod reads, with the fields that are set."""
    return {name: one.model_dump(mode="json", exclude_unset=True) for name, one in networks.items()}
