"""Gateway: ports, hosts and TLS."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems
from tests.releases import RELEASE

HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}
HTTPS = {"number": 443, "name": "https", "protocol": "HTTPS"}
TCP = {"number": 90, "name": "tcp", "protocol": "TCP"}
FILES = {"serverCertificate": "/a", "privateKey": "/b"}


@pytest.mark.parametrize(
    ("server", "line"),
    [
        ({"hosts": ["*"]}, ".port: is required"),
        ({"port": HTTP}, ".hosts: is required"),
        ({"port": HTTP, "hosts": []}, ".hosts: must not be empty"),
        (
            {"port": HTTP, "hosts": ["reviews"]},
            '.hosts[0]: "reviews" is not a fully qualified DNS name, "*.example.com" or "*"',
        ),
        (
            {"port": HTTP, "hosts": ["~/*"]},
            '.hosts[0]: "~/*" is not namespace/host, where namespace is a name or one of * .',
        ),
        ({"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["*"]}, ".port.name: is required"),
        ({"port": {"number": 80, "name": "a"}, "hosts": ["*"]}, ".port.protocol: is required"),
        ({"port": {"name": "a", "protocol": "TCP"}, "hosts": ["*"]}, ".port.number: must be in 1..65535"),
        ({"port": HTTP, "hosts": ["*"], "bind": "unix:///a"}, ".port.number: must be 0 for a Unix domain socket"),
        (
            {"port": {**HTTP, "targetPort": 81}, "hosts": ["*"]},
            ".port.targetPort: is for service entries only",
        ),
        ({"port": HTTPS, "hosts": ["*"]}, ".tls: is required for HTTPS"),
        ({"port": TCP, "hosts": ["*"], "tls": {}}, ".tls: is not possible with TCP"),
        (
            {"port": HTTP, "hosts": ["*"], "tls": {"mode": "SIMPLE", **FILES}},
            ".tls.mode: SIMPLE is not possible with HTTP, which is plain text",
        ),
        (
            {"port": HTTP, "hosts": ["*"], "tls": {"privateKey": "/a"}},
            ".tls.privateKey: is not possible with HTTP, which is plain text",
        ),
        (
            {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "SIMPLE", "privateKey": "/a"}},
            ".tls.serverCertificate: is required in mode SIMPLE without credentialName",
        ),
        (
            {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "MUTUAL", **FILES}},
            ".tls.caCertificates: is required in mode MUTUAL without credentialName",
        ),
        (
            {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "ISTIO_MUTUAL", "caCertificates": "/a"}},
            ".tls.caCertificates: cannot be set in mode ISTIO_MUTUAL, which uses Istio's own certificates",
        ),
        (
            {"port": HTTPS, "hosts": ["*"], "tls": {"minProtocolVersion": "TLSV1_4"}},
            '.tls.minProtocolVersion: "TLSV1_4" is not one of TLS_AUTO, TLSV1_0, TLSV1_1, TLSV1_2, TLSV1_3; '
            'did you mean "TLSV1_3"?',
        ),
    ],
)
def test_an_invalid_server_is_refused_with_its_path(server: dict[str, Any], line: str) -> None:
    assert problems(api.Gateway, {"servers": [server]}) == [f"Gateway servers[0]{line}"]


@pytest.mark.parametrize(
    "server",
    [
        {
            "port": HTTP,
            "bind": "10.0.0.1",
            "hosts": ["*", "./*.a.b", "ns/a.b", "1.2.3.4"],
            "tls": {"httpsRedirect": True},
        },
        {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "SIMPLE", "credentialName": "a"}},
        {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "SIMPLE", **FILES}},
        {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "PASSTHROUGH"}},
        {"port": HTTPS, "hosts": ["*"], "tls": {"mode": "ISTIO_MUTUAL"}},
        {"port": {"number": 0, "protocol": "HTTP", "name": "a"}, "bind": "unix://@a", "hosts": ["*"]},
    ],
)
def test_a_valid_server_is_accepted(server: dict[str, Any]) -> None:
    (got,) = api.Gateway.from_wire({"servers": [server]}).spec()["servers"]
    assert got == server


def test_two_servers_of_a_gateway_must_not_have_the_same_port_name() -> None:
    servers = [{"port": HTTP, "hosts": ["*"]}, {"port": {**HTTP, "number": 81}, "hosts": ["*"]}]
    assert problems(api.Gateway, {"servers": servers}) == [
        'Gateway servers[1].port.name: "http" is the name of another server\'s port, too'
    ]


def test_a_gateway_needs_at_least_one_server() -> None:
    assert problems(api.Gateway, {"servers": []}) == ["Gateway servers: must not be empty"]


def test_the_name_of_a_gateway_must_not_contain_dots() -> None:
    gateway = api.Gateway.from_wire({"servers": [{"port": HTTP, "hosts": ["*"]}]})
    assert gateway.manifest("edge", "istio-system", RELEASE.api)["metadata"]["name"] == "edge"
    with pytest.raises(api.ApiError, match=r'^Gateway metadata\.name: "Edge" is not a name'):
        gateway.manifest("Edge", "istio-system", RELEASE.api)
    with pytest.raises(api.ApiError, match=r'^Gateway metadata\.name: "a\.b" must not have dots'):
        gateway.manifest("a.b", "istio-system", RELEASE.api)
