"""What is spoken on a port, as Istio reads it from the port of a Service, a ServiceEntry or a Gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_HTTP: Final = ("HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB")
_TLS: Final = ("HTTPS", "TLS")
PROTOCOLS: Final = (*_HTTP, *_TLS, "TCP", "UDP", "MONGO", "REDIS", "MYSQL", "THRIFT")
"""The protocols that a port may have, in any letter case."""
_SERVER_FIRST: Final = (25, 53, 3306, 27017)
"""Ports on which Istio speaks TCP without being told: the server speaks first there."""


def is_http(protocol: str) -> bool:
    """Whether requests on a port of this protocol are HTTP in plain text."""
    return protocol.upper() in _HTTP


def is_tls(protocol: str) -> bool:
    """Whether connections on a port of this protocol start with a TLS handshake."""
    return protocol.upper() in _TLS


def is_http_after_tls(protocol: str) -> bool:
    """Whether requests on a port of this protocol are HTTP once TLS is taken off, if there is any."""
    return is_http(protocol) or protocol.upper() == "HTTPS"


def of_service_port(port: Mapping[str, Any]) -> str:
    """The protocol of a Service's port, by its `appProtocol` or else its name, such as `http` or `grpc-pages`. Empty if
    Istio has to find out from the traffic."""
    if port.get("protocol") == "UDP":
        return "UDP"
    name = str(port.get("appProtocol") or port.get("name") or "").upper()
    said = "GRPC-WEB" if name.startswith("GRPC-WEB") else name.partition("-")[0]
    if said in PROTOCOLS:
        return said
    return "TCP" if port["port"] in _SERVER_FIRST else ""
