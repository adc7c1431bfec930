"""Control planes of Istio 1.10 on another cluster."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.core.names import XDS_PORT
from mesh.releases.release import Installation
from mesh.releases.remote import RemotePort, RemoteService, ip_version
from mesh.values.values import Values

_PORTS = (RemotePort("tcp-istiod", XDS_PORT, XDS_PORT),)


def host(mesh: Installation) -> str:
    """The name of the Service that leads to the remote control plane; an istiod here has the usual name itself."""
    return "istiod-remote" if mesh.values.pilot.enabled else "istiod"


def service(mesh: Installation) -> RemoteService | None:
    """The Service; it belongs to the base."""
    address = mesh.values.global_.remotePilotAddress
    if not (address and mesh.values.base.enabled):
        return None
    return RemoteService(name=host(mesh), address=address, ports=_PORTS, headless=True, slices=False)


def problems(values: Values, profile: str) -> Iterator[tuple[str, str]]:
    """Problems of values that are to use a control plane on another cluster: keys and texts."""
    address = values.global_.remotePilotAddress
    if values.istiodRemote.enabled and not values.istiodRemote.injectionURL:
        text = "set it to the URL at which the remote control plane injects, such as https://ADDRESS:15017/inject"
        yield "istiodRemote.injectionURL", f"the profile {profile} needs it: {text}"
    if profile == "remote" and not address:
        text = "set it to the IP address of the remote control plane, or choose the profile default"
        yield "global.remotePilotAddress", f"the profile remote needs it: {text}"
    for name, network in values.global_.meshNetworks.items():
        for i, gateway in enumerate(network.gateways):
            if gateway.address and not ip_version(gateway.address):
                text = f"{gateway.address} is a host name, and 1.10 takes IP addresses only: name a registryServiceName"
                yield f"global.meshNetworks.{name}.gateways[{i}].address", text
    if address and values.pilot.enabled and not ip_version(address):
        text = "a host name, which 1.10 does not support beside an istiod on this cluster: set it to an IP address"
        yield "global.remotePilotAddress", f"{address} is {text}"
