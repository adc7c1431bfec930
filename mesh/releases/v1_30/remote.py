"""Control planes of Istio 1.30 on another cluster."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.core.names import XDS_PORT
from mesh.releases.release import Installation
from mesh.releases.remote import RemotePort, RemoteService
from mesh.values.values import Values

_PORTS = (RemotePort("tcp-istiod", XDS_PORT, XDS_PORT), RemotePort("tcp-webhook", 443, 15017))


def service(mesh: Installation) -> RemoteService | None:
    """The Service. An istiod here that injects only has the usual name itself."""
    values = mesh.values
    if not (values.global_.remotePilotAddress and values.istiodRemote.enabled):
        return None
    name = mesh.revisioned("istiod")
    return RemoteService(
        name=f"{name}-remote" if values.istiodRemote.enabledLocalInjectorIstiod else name,
        address=values.global_.remotePilotAddress,
        ports=_PORTS,
        labels=mesh.labels,
        ip_family_policy=values.global_.ipFamilyPolicy,
        ip_families=values.global_.ipFamilies,
    )


def problems(values: Values, profile: str) -> Iterator[tuple[str, str]]:
    """Problems of values that are to use a control plane on another cluster: keys and texts."""
    remote, address = values.istiodRemote, values.global_.remotePilotAddress
    what = "set it to the IP address or host name of the remote control plane"
    if remote.enabledLocalInjectorIstiod and not remote.enabled:
        yield (
            "istiodRemote.enabledLocalInjectorIstiod",
            "it is for a remote istiod: set mesh:istiodRemote.enabled to true",
        )
    elif remote.enabledLocalInjectorIstiod:
        if not address:
            yield "global.remotePilotAddress", f"an istiod that injects only needs it: {what}"
        if not values.pilot.configMap or values.global_.omitSidecarInjectorConfigMap:
            text = "set mesh:pilot.configMap to true and mesh:global.omitSidecarInjectorConfigMap to false"
            yield "istiodRemote.enabledLocalInjectorIstiod", f"the istiod here reads its ConfigMaps: {text}"
    elif remote.enabled and not (address or remote.injectionURL):
        way = "or set mesh:istiodRemote.injectionURL to the URL at which it injects"
        yield "global.remotePilotAddress", f"the profile {profile} needs it: {what}, {way}"
