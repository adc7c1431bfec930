"""VirtualService as a whole, and its routes of TLS and TCP connections."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

HTTP = [{"route": [{"destination": {"host": "a"}}]}]
TCP = [{"route": [{"destination": {"host": "a"}}]}]


def tls(*names: str) -> list[dict[str, Any]]:
    return [{"match": [{"sniHosts": list(names)}], "route": [{"destination": {"host": "a"}}]}]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"hosts": ["a"]}, ": needs http, tls or tcp"),
        ({"hosts": ["a", "b", "a"], "http": HTTP}, ' hosts[2]: "a" and "a" overlap'),
        ({"hosts": ["*.b", "a.b"], "http": HTTP}, ' hosts[1]: "a.b" and "*.b" overlap'),
        ({"hosts": ["a.b", "*.b"], "http": HTTP}, ' hosts[1]: "*.b" and "a.b" overlap'),
        ({"hosts": ["*"], "http": HTTP}, ' hosts[0]: "*" is for gateways only: name them, and not mesh, in gateways'),
        (
            {"hosts": ["*"], "gateways": ["a", "mesh"], "http": HTTP},
            ' hosts[0]: "*" is for gateways only: name them, and not mesh, in gateways',
        ),
        (
            {"hosts": ["a b"], "http": HTTP},
            ' hosts[0]: "a b" is not a host: write a DNS name, or one that starts with *',
        ),
        ({"gateways": ["a"], "http": HTTP}, " gateways: is not for a delegate, a VirtualService without hosts"),
        ({"tls": tls("a")}, " tls: is not for a delegate, a VirtualService without hosts"),
        ({"tcp": TCP}, " tcp: is not for a delegate, a VirtualService without hosts"),
        ({"http": [{"delegate": {"name": "a"}}]}, " http[0].delegate: a delegate cannot delegate further"),
        ({"hosts": ["a.b"], "tls": tls("a.b", "c.d")}, ' tls[0].match[0].sniHosts[1]: "c.d" is not among the hosts'),
        ({"hosts": ["a.b"], "tls": tls("*.b")}, ' tls[0].match[0].sniHosts[0]: "*.b" is not among the hosts'),
        ({"hosts": ["a.b"], "tls": tls()}, " tls[0].match[0].sniHosts: must not be empty"),
        ({"hosts": ["a"], "tls": [{"route": TCP[0]["route"]}]}, " tls[0].match: is required"),
        ({"hosts": ["a"], "tcp": [{}]}, " tcp[0].route: is required"),
        ({"hosts": ["a"], "tcp": [{"route": []}]}, " tcp[0].route: must not be empty"),
        (
            {
                "hosts": ["a"],
                "http": [{**HTTP[0], "match": [{"headers": {"@request.auth.claims.sub": {"exact": "a"}}}]}],
            },
            ' http[0].match[0].headers["@request.auth.claims.sub"]: only gateways can match a claim: name'
            " them, and not mesh, in gateways",
        ),
        (
            {"hosts": ["a"], "tcp": [{**TCP[0], "match": [{"destinationSubnets": ["10.0.0.0/99"]}]}]},
            ' tcp[0].match[0].destinationSubnets[0]: "10.0.0.0/99" is neither an IP address nor a range '
            'such as "10.0.0.0/8"',
        ),
        ({"hosts": ["a"], "http": HTTP, "exportTo": ["~"]}, ' exportTo: "~" (nobody) is for service entries only'),
        (
            {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "b"}, "wieght": 1}]}]},
            ' http[0].route[0]: unknown field "wieght"; did you mean "weight"? (fields: destination, headers, weight)',
        ),
    ],
)
def test_an_invalid_virtual_service_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.VirtualService, fields) == [f"VirtualService{line}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"hosts": ["*"], "gateways": ["a"], "http": HTTP},
        {"hosts": ["*.b", "a.c", "1.2.3.4"], "gateways": ["ns/a", "mesh"], "http": HTTP},
        {"hosts": ["*.b"], "tls": tls("a.b", "*.c.b")},
        {"hosts": ["a"], "tcp": TCP},
        {"http": HTTP},
        {"hosts": ["a"], "http": [{"delegate": {"name": "b", "namespace": "c"}, "match": [{"uri": {"prefix": "/"}}]}]},
    ],
)
def test_a_valid_virtual_service_keeps_its_wire_form(fields: dict[str, Any]) -> None:
    assert api.VirtualService(**fields).spec() == fields
