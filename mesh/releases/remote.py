"""What leads to a control plane on another cluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RemotePort:
    """A port of the Service."""

    name: str
    number: int
    target: int
    """The port at the control plane's address."""


@dataclass(frozen=True, kw_only=True)
class RemoteService:
    """A Service without pods, which leads to the address of the control plane."""

    name: str
    address: str
    """An IP address or a host name."""
    ports: Sequence[RemotePort]
    labels: Mapping[str, str] = field(default_factory=dict)
    headless: bool = False
    """Whether the name stands for an IP address itself, and not for one of the cluster's own."""
    ip_family_policy: str = ""
    ip_families: Sequence[str] = ()
    """IP families; the default of Kubernetes if empty."""
    slices: bool = True
    """Whether an IP address is in an EndpointSlice; otherwise it is in Endpoints, which older clusters read."""


def ip_version(address: str) -> int | None:
    """4 or 6; None if the address is a host name."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return None
