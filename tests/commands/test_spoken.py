"""What the requests of `make smoke` are sent in."""

from __future__ import annotations

from typing import Any

import pytest

from commands import spoken
from commands.spoken import GRPC, HTTP, TCP, TLS
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.expected import Answers
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome, Receiver
from tests.commands.test_hosts import deployment, service
from tests.sandbox.snapshots import custom

EDGE = deployment("edge", "istio-system", istio="ingressgateway")


def gateway(*servers: dict[str, Any]) -> Mesh:
    made = custom("Gateway", {"selector": {"istio": "ingressgateway"}, "servers": list(servers)}, "site", "shop")
    behind = service("stock", "shop", {"name": "grpc", "port": 9000}, {"name": "http", "port": 80})
    return Mesh(map(Object.read, (EDGE, made, behind, deployment("web"))), DEFAULT_NAMES)


def server(protocol: str, host: str = "*", **tls: str) -> dict[str, Any]:
    return {
        "port": {"number": 443, "name": "x", "protocol": protocol},
        "hosts": [host],
        **({"tls": tls} if tls else {}),
    }


def sample(secure: bool = False, port: int = 443, host: str = "a.example.com") -> Sample:
    return Sample(source="istio-system/edge", outside=True, host=host, port=port, secure=secure)


def to(port: int) -> Outcome:
    receiver = Receiver(host="stock.shop.svc.cluster.local", subset="", share=1, workloads=("stock",), port=port)
    return Outcome(receivers=(receiver,))


@pytest.mark.parametrize(
    ("asked", "secure", "port", "wanted"),
    [
        (server("HTTP"), False, 80, HTTP),
        (server("HTTP"), False, 9000, GRPC),
        (server("GRPC"), False, 80, GRPC),
        (server("HTTPS", mode="SIMPLE"), True, 80, HTTP),
        (server("HTTPS", mode="PASSTHROUGH"), True, 80, TLS),
        (server("TLS", mode="PASSTHROUGH"), True, 80, TLS),
        (server("TLS", mode="SIMPLE"), True, 80, TLS),
        (server("TCP"), False, 80, TCP),
    ],
)
def test_a_request_to_a_gateway_is_sent_in_what_its_server_and_the_port_behind_speak(
    asked: dict[str, Any], secure: bool, port: int, wanted: str
) -> None:
    assert spoken.of(gateway(asked), sample(secure), to(port)) == wanted


def test_a_name_that_no_server_has_is_asked_by_a_connection() -> None:
    mesh = gateway(server("HTTPS", "b.example.com", mode="SIMPLE"))
    assert spoken.of(mesh, sample(secure=True), Outcome(status=0)) == TLS


def test_of_two_servers_at_one_port_the_one_for_the_host_decides() -> None:
    mesh = gateway(server("TLS", mode="PASSTHROUGH"), server("HTTPS", "a.example.com", mode="MUTUAL"))
    assert spoken.of(mesh, sample(True), to(80)) == HTTP
    assert spoken.needs_certificate(mesh, sample(True))
    assert spoken.of(mesh, sample(True, host="b.example.com"), to(80)) == TLS
    assert not spoken.needs_certificate(mesh, sample(True, host="b.example.com"))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("http", HTTP),
        ("", HTTP),
        ("grpc-web", HTTP),
        ("grpc", GRPC),
        ("tcp", TCP),
        ("redis", TCP),
        ("tls", TLS),
        ("https", TLS),
    ],
)
def test_a_service_is_called_in_what_its_port_is_named_for(name: str, wanted: str) -> None:
    mesh = Mesh(map(Object.read, (service("x", "shop", {"name": name, "port": 7}), deployment("web"))), DEFAULT_NAMES)
    asked = Sample(source="shop/web", outside=False, host="x", port=7, secure=False)
    assert spoken.of(mesh, asked, Outcome()) == wanted


def test_answers_of_proxies_are_codes_to_calls_and_no_connection_without_requests() -> None:
    found = Answers(shares={"403": 0.25, "503": 0.25, "302 /x": 0.25, "cart-v1": 0.25}, late={2.0: 0.5})
    assert spoken.answers(found, HTTP) is found
    called = spoken.answers(found, GRPC)
    assert called.shares == {"PERMISSION_DENIED": 0.25, "UNAVAILABLE": 0.25, "UNKNOWN": 0.25, "cart-v1": 0.25}
    assert called.late == found.late
    connected = spoken.answers(found, TCP)
    assert connected.shares == {"no connection": 0.75, "cart-v1": 0.25}
    assert connected.late == {}


@pytest.mark.parametrize(
    ("speaks", "wanted"),
    [
        (HTTP, "https://a.example.com/ through edge"),
        (GRPC, "grpc://a.example.com/ through edge"),
        (TCP, "tcp://*:443 through edge"),
        (TLS, "tls://a.example.com:443 through edge"),
    ],
)
def test_a_request_is_written_as_stand_ins_are_told_to_call(speaks: str, wanted: str) -> None:
    assert spoken.told(sample(True), speaks) == wanted
