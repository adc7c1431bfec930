"""Sidecar: inbound and outbound listeners."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}
SOCKET = {"number": 0, "protocol": "HTTP"}
OUT = {"hosts": ["./*"]}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, ": needs ingress, egress or outboundTrafficPolicy"),
        ({"ingress": [{}]}, " ingress[0].port: is required"),
        ({"ingress": [{"port": {"protocol": "HTTP"}}]}, " ingress[0].port.number: must be in 1..65535"),
        ({"ingress": [{"port": {**HTTP, "name": "a.b"}}]}, ' ingress[0].port.name: "a.b" is not a DNS label'),
        (
            {"ingress": [{"port": {**HTTP, "targetPort": 1}}]},
            " ingress[0].port.targetPort: is for service entries; see defaultEndpoint",
        ),
        ({"ingress": [{"port": HTTP, "bind": "unix:///a"}]}, ' ingress[0].bind: "unix:///a" is not an IP address'),
        ({"ingress": [{"port": HTTP}, {"port": HTTP}]}, " ingress[1]: another listener is bound to 80, too"),
        ({"egress": [{}]}, " egress[0].hosts: is required"),
        (
            {"egress": [{"hosts": ["a.b"]}]},
            ' egress[0].hosts[0]: "a.b" is not namespace/host, where namespace is a name or one of * . ~',
        ),
        ({"egress": [OUT, OUT]}, " egress[0]: a listener without port must be the last"),
        ({"egress": [{**OUT, "port": {**HTTP, "name": "a.b"}}]}, ' egress[0].port.name: "a.b" is not a DNS label'),
        ({"egress": [OUT, {**OUT, "port": HTTP}]}, " egress[0]: a listener without port must be the last"),
        (
            {"egress": [{**OUT, "port": HTTP}, {**OUT, "port": HTTP}]},
            " egress[1]: another listener is bound to 80, too",
        ),
        ({"egress": [{**OUT, "port": SOCKET}]}, " egress[0].port.number: must be in 1..65535, or bind a socket"),
        (
            {"egress": [{**OUT, "port": HTTP, "bind": "unix:///a"}]},
            " egress[0].port.number: must be 0 for a Unix domain socket",
        ),
        (
            {"egress": [{**OUT, "port": SOCKET, "bind": "unix:///a", "captureMode": "IPTABLES"}]},
            " egress[0].captureMode: IPTABLES is not possible with a Unix domain socket",
        ),
        (
            {"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": {"host": "a.b"}}},
            " outboundTrafficPolicy.egressProxy.port: is required",
        ),
        (
            {"outboundTrafficPolicy": {"egressProxy": {"host": "a.b", "port": {"number": 1}}}},
            " outboundTrafficPolicy.egressProxy: needs mode ALLOW_ANY",
        ),
        (
            {"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": {"host": "*.b", "port": {"number": 1}}}},
            ' outboundTrafficPolicy.egressProxy.host: "*.b" is not a DNS name',
        ),
        (
            {"outboundTrafficPolicy": {"mode": "ALLOW_ALL"}},
            ' outboundTrafficPolicy.mode: "ALLOW_ALL" is not one of REGISTRY_ONLY, ALLOW_ANY; '
            'did you mean "ALLOW_ANY"?',
        ),
        (
            {"workloadSelector": {"labels": {"a": "*"}}, "egress": [OUT]},
            ' workloadSelector.labels: "a=*": a selector has no wildcards',
        ),
    ],
)
def test_an_invalid_sidecar_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.Sidecar, fields) == [f"Sidecar{line}"]


@pytest.mark.parametrize("place", ["127.0.0.1:80", ":80", "0.0.0.0:65535", "unix:///a", "unix://@a"])
def test_a_default_endpoint_is_a_local_port_or_a_socket(place: str) -> None:
    listener = api.IstioIngressListener(port=api.SidecarPort(number=1), defaultEndpoint=place)
    assert listener.defaultEndpoint == place


@pytest.mark.parametrize(
    "place", ["127.0.0.1", "10.0.0.1:80", ":0", ":65536", "127.0.0.1:http", "unix://a", ":٣", "80"]
)
def test_any_other_default_endpoint_is_refused(place: str) -> None:
    (line,) = problems(api.IstioIngressListener, {"port": HTTP, "defaultEndpoint": place})
    assert line.startswith("IstioIngressListener defaultEndpoint: ")


def test_a_sidecar_with_inbound_and_outbound_listeners_keeps_its_wire_form() -> None:
    fields: dict[str, Any] = {
        "workloadSelector": {"labels": {"app": "ratings"}},
        "ingress": [{"port": HTTP, "defaultEndpoint": "127.0.0.1:8080"}],
        "egress": [
            {"port": HTTP, "bind": "127.0.0.1", "captureMode": "IPTABLES", "hosts": ["*/*.a.b", "~/*"]},
            {"port": SOCKET, "bind": "unix:///a", "hosts": ["ns/a.b"]},
            {"port": SOCKET, "bind": "unix:///b", "hosts": ["ns/a.b"]},
            OUT,
        ],
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    }
    got = api.Sidecar(**fields).spec()
    assert got == fields


def test_a_sidecar_may_have_only_an_outbound_traffic_policy() -> None:
    proxy = {"host": "a.b", "port": {"number": 80}}
    fields = {"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": proxy}}
    assert api.Sidecar.from_wire(fields).spec() == fields
