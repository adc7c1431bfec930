"""Protocols of ports, as Istio reads them from Services, ServiceEntries and Gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_HTTP: Final = ("HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB")
_TLS: Final = ("HTTPS", "TLS")
PROTOCOLS: Final = (*_HTTP, *_TLS, "TCP", "UDP", "MONGO", "REDIS", "MYSQL", "THRIFT")
"""The protocols that a port may name, in any letter case."""
_SERVER_FIRST: Final = (25, 53, 3306, 27017)
"""Ports that Istio treats as TCP if they name no protocol, since it cannot detect server-first protocols."""


def is_http(protocol: str) -> bool:
    """Whether a port of this protocol takes HTTP in plain text."""
    return protocol.upper() in _HTTP


def is_tls(protocol: str) -> bool:
    """Whether connections to a port of this protocol start with a TLS handshake."""
    return protocol.upper() in _TLS


def is_http_after_tls(protocol: str) -> bool:
    """Whether a port of this protocol takes HTTP, in plain text or within TLS."""
    return is_http(protocol) or protocol.upper() == "HTTPS"


def of_service_port(port: Mapping[str, Any]) -> str:
    """The protocol of a Service's port, from its `appProtocol` or the prefix of its name, such as `http` or
    `grpc-pages`. Empty if neither names one: Istio then detects the protocol from the traffic."""
    if port.get("protocol") == "UDP":
        return "UDP"
    name = str(port.get("appProtocol") or port.get("name") or "").upper()
    protocol = "GRPC-WEB" if name.startswith("GRPC-WEB") else name.partition("-")[0]
    if protocol in PROTOCOLS:
        return protocol
    return "TCP" if port["port"] in _SERVER_FIRST else ""
