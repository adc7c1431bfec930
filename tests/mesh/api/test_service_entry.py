"""ServiceEntry: hosts, ports, resolution and endpoints."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}
TCP = {"number": 90, "name": "tcp", "protocol": "TCP"}
HERE = {"address": "10.0.0.7"}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"hosts": []}, " hosts: must not be empty"),
        ({"hosts": ["*"]}, ' hosts[0]: "*" is too wide: name a host, or a part of it such as "*.example.com"'),
        (
            {"endpoints": [HERE], "workloadSelector": {}, "resolution": "STATIC"},
            ": only one of endpoints, workloadSelector may be set, got endpoints and workloadSelector",
        ),
        ({"resolution": "DNS", "addresses": ["10.0.0.0/8"]}, " addresses: ranges are not possible with resolution DNS"),
        (
            {"hosts": ["a.b", "c.d"], "ports": [HTTP, TCP], "resolution": "DNS"},
            " hosts: only one is possible with a port of protocol TCP, which names no host",
        ),
        (
            {"hosts": ["a.b", "c.d"], "ports": [{"number": 1, "name": "a"}], "resolution": "STATIC"},
            " hosts: only one is possible with a port of protocol TCP, which names no host",
        ),
        ({"ports": [{"name": "a"}]}, " ports[0].number: must be in 1..65535"),
        ({"ports": [{"number": 1}]}, " ports[0].name: is required"),
        ({"ports": [{"number": 1, "name": "a_b"}]}, ' ports[0].name: "a_b" is not a DNS label'),
        ({"ports": [HTTP, {**HTTP, "number": 81}]}, ' ports[1].name: "http" is also the name of another port'),
        ({"ports": [HTTP, {**HTTP, "name": "b"}]}, " ports[1].number: 80 is also the number of another port"),
        ({"endpoints": [HERE]}, " endpoints: need resolution STATIC or DNS"),
        ({"resolution": "NONE", "endpoints": [HERE]}, " endpoints: need resolution STATIC or DNS"),
        (
            {"hosts": ["*.a.b"], "resolution": "DNS"},
            ' hosts[0]: "*.a.b" cannot be looked up: resolution DNS needs endpoints for it',
        ),
        ({"resolution": "STATIC", "endpoints": [{}]}, " endpoints[0].address: is required"),
        (
            {"resolution": "STATIC", "endpoints": [{"address": "a.b"}]},
            ' endpoints[0].address: "a.b" is not an IP address: use resolution DNS for names',
        ),
        (
            {"resolution": "DNS", "endpoints": [{"address": "unix:///a"}], "ports": [HTTP]},
            " endpoints[0].address: is a Unix domain socket: use resolution STATIC",
        ),
        (
            {"resolution": "STATIC", "endpoints": [{"address": "unix:///a"}], "ports": [HTTP, TCP]},
            " ports: must be exactly one where an endpoint is a Unix domain socket",
        ),
        (
            {"resolution": "STATIC", "endpoints": [{**HERE, "ports": {"htp": 1}}], "ports": [HTTP, TCP]},
            " endpoints[0].ports.htp: is not one of the service's ports (http, tcp)",
        ),
        (
            {"resolution": "STATIC", "endpoints": [{"address": "unix:///a"}]},
            " ports: must be exactly one where an endpoint is a Unix domain socket",
        ),
        ({"location": "OUTSIDE"}, ' location: "OUTSIDE" is not one of MESH_EXTERNAL, MESH_INTERNAL'),
    ],
)
def test_an_invalid_service_entry_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.ServiceEntry, {"hosts": ["a.b"], **fields}) == [f"ServiceEntry{line}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"hosts": ["a.b", "c.d"], "ports": [HTTP], "resolution": "DNS"},
        {"hosts": ["a.b", "c.d"], "ports": [TCP], "resolution": "NONE"},
        {"hosts": ["a.b", "c.d"], "ports": [{**TCP, "protocol": "TLS"}], "resolution": "DNS"},
        {"hosts": ["*.a.b"], "ports": [HTTP], "resolution": "NONE"},
        {"hosts": ["a.b"], "addresses": ["10.0.0.0/8"], "ports": [TCP], "resolution": "STATIC", "endpoints": [HERE]},
        {"hosts": ["a.b"], "ports": [TCP], "resolution": "STATIC", "endpoints": [{"address": "unix:///a"}]},
        {
            "hosts": ["*.b"],
            "ports": [HTTP],
            "resolution": "DNS",
            "endpoints": [{"address": "c.d", "ports": {"http": 1}}],
        },
        {"hosts": ["a.b"], "workloadSelector": {"labels": {"a": "b"}}, "resolution": "STATIC", "exportTo": ["~"]},
    ],
)
def test_a_valid_service_entry_is_accepted(fields: dict[str, Any]) -> None:
    assert api.ServiceEntry(**fields).spec() == fields


def test_ports_without_name_and_number_do_not_count_as_duplicates() -> None:
    assert problems(api.ServiceEntry, {"hosts": ["a.b"], "ports": [{"number": 1}, {"number": 2}]}) == [
        "ServiceEntry ports[0].name: is required",
        "ServiceEntry ports[1].name: is required",
    ]
