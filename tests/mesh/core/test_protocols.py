"""Protocols of ports, as Istio reads them."""

from typing import Any

import pytest

from mesh.core import protocols


@pytest.mark.parametrize(
    ("protocol", "http", "tls"),
    [("http", True, False), ("GRPC-Web", True, False), ("HTTPS", False, True), ("TCP", False, False)],
)
def test_protocols_are_http_tls_or_neither(protocol: str, http: bool, tls: bool) -> None:
    assert (protocols.is_http(protocol), protocols.is_tls(protocol)) == (http, tls)


@pytest.mark.parametrize(
    ("port", "protocol"),
    [
        ({"name": "http", "port": 1}, "HTTP"),
        ({"name": "http-pages", "port": 1}, "HTTP"),
        ({"name": "httpish", "port": 1}, ""),
        ({"name": "grpc-web", "port": 1}, "GRPC-WEB"),
        ({"name": "grpc-web-pages", "port": 1}, "GRPC-WEB"),
        ({"name": "grpc-pages", "port": 1}, "GRPC"),
        ({"name": "pages", "port": 1}, ""),
        ({"name": "pages", "port": 3306}, "TCP"),
        ({"name": "http", "port": 3306}, "HTTP"),
        ({"name": "http", "appProtocol": "TCP", "port": 1}, "TCP"),
        ({"name": "http", "protocol": "UDP", "port": 1}, "UDP"),
        ({"port": 1}, ""),
    ],
)
def test_a_service_ports_protocol_is_its_app_protocol_or_the_prefix_of_its_name(
    port: dict[str, Any], protocol: str
) -> None:
    assert protocols.of_service_port(port) == protocol


def test_https_is_http_within_tls_and_the_protocol_tls_is_not() -> None:
    assert [p for p in protocols.PROTOCOLS if protocols.is_http_after_tls(p) != protocols.is_http(p)] == ["HTTPS"]
