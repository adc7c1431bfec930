"""The control plane of a running proxy. Its address is in the environment of the proxy's container, so it stays until
the pod is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.core.names import ROOT

Name = tuple[str, str]
"""Namespace and name."""

DEFAULT: Final = (ROOT, "istiod")
"""The Service that configures a proxy by default."""
PORTS: Final = frozenset((15010, 15012))
"""Ports of a Service at which istiod serves proxies: plain, and over TLS."""
GUIDE: Final = "docs/upgrade.md"
"""The page with the steps from one control plane to another."""


def asked(container: Mapping[str, Any]) -> Iterator[Name]:
    """The Services that a proxy's container connects to: the one that signs its certificates, and the one that
    configures it. Nothing if its environment does not name them."""
    env = {variable["name"]: variable.get("value", "") for variable in container.get("env") or ()}
    yield from _service(env.get("CA_ADDR", ""))
    if config := env.get("PROXY_CONFIG"):
        try:
            address = json.loads(config).get("discoveryAddress")
        except (ValueError, AttributeError):
            return
        yield from _service(address) if address else [DEFAULT]


def _service(address: str) -> Iterator[Name]:
    """The Service in an address such as `istiod.istio-system.svc:15012`; none if it has no namespace."""
    service, *where = address.partition(":")[0].split(".")
    if where:
        yield where[0], service


def serves_proxies(service: Mapping[str, Any]) -> bool:
    """Whether a Service belongs to a control plane."""
    ports = (service.get("spec") or {}).get("ports") or ()
    return any(port.get("port") in PORTS for port in ports)
