"""WorkloadEntry and WorkloadGroup."""

from typing import Any

import pytest

from mesh import api
from mesh.api.model import wire
from tests.mesh.api.test_api import problems

HTTP = {"httpGet": {"port": 80}}


@pytest.mark.parametrize(
    ("kind", "fields", "line"),
    [
        (api.WorkloadEntry, {}, " address: is required"),
        (
            api.WorkloadEntry,
            {"address": "*.a"},
            ' address: "*.a" is neither an IP address, a DNS name nor a unix:// socket',
        ),
        (api.WorkloadEntry, {"address": "unix:///a", "ports": {"a": 1}}, " ports: a Unix domain socket has no ports"),
        (api.WorkloadEntry, {"address": "a", "ports": {"a": 0}}, " ports.a: 0 is not in 1..65535"),
        (api.WorkloadEntry, {"address": "a", "weight": -1}, " weight: -1 is not in 0..4294967295"),
        (api.WorkloadGroup, {}, " template: is required"),
        (api.WorkloadGroup, {"template": {}, "probe": {}}, " probe: needs one of httpGet, tcpSocket, exec"),
        (
            api.WorkloadGroup,
            {"template": {}, "probe": {**HTTP, "exec": {"command": ["a"]}}},
            " probe: only one of httpGet, tcpSocket, exec, grpc may be set, got httpGet and exec",
        ),
        (
            api.WorkloadGroup,
            {"template": {}, "probe": {**HTTP, "periodSeconds": -1}},
            " probe.periodSeconds: -1 is not in 0..2147483647",
        ),
        (api.WorkloadGroup, {"template": {}, "probe": {"httpGet": {}}}, " probe.httpGet.port: is required"),
        (
            api.WorkloadGroup,
            {"template": {}, "probe": {"httpGet": {"port": 80, "scheme": "ftp"}}},
            ' probe.httpGet.scheme: "ftp" is not one of HTTP, HTTPS',
        ),
        (
            api.WorkloadGroup,
            {"template": {}, "probe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "a_b"}]}}},
            ' probe.httpGet.httpHeaders[0].name: "a_b" is not letters, digits and hyphens',
        ),
        (
            api.WorkloadGroup,
            {"template": {}, "probe": {"tcpSocket": {"host": "a"}}},
            " probe.tcpSocket.port: is required",
        ),
        (
            api.WorkloadGroup,
            {"template": {}, "probe": {"exec": {"command": []}}},
            " probe.exec.command: must not be empty",
        ),
        (
            api.WorkloadGroup,
            {"template": {}, "metadata": {"labels": {"a b": "c"}}},
            ' metadata.labels: "a b" is not the key of a label',
        ),
    ],
)
def test_an_invalid_workload_is_refused_with_its_path(kind: type[api.Kind], fields: dict[str, Any], line: str) -> None:
    assert problems(kind, fields) == [f"{kind.__name__}{line}"]


def test_a_workload_entry_for_a_machine_keeps_its_wire_form() -> None:
    entry = api.WorkloadEntry(address="10.0.0.7", labels={"app": "db"}, ports={"mysql": 3306}, serviceAccount="db")
    assert entry.spec() == {
        "address": "10.0.0.7",
        "ports": {"mysql": 3306},
        "labels": {"app": "db"},
        "serviceAccount": "db",
    }


def test_the_template_of_a_workload_group_needs_no_address() -> None:
    template = api.Endpoint(serviceAccount="db", ports={"mysql": 3306})
    group = api.WorkloadGroup(template=template, metadata=api.ObjectMeta(labels={"app": "db"}))
    assert group.spec() == {
        "metadata": {"labels": {"app": "db"}},
        "template": {"ports": {"mysql": 3306}, "serviceAccount": "db"},
    }


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"port": 80, "scheme": "HTTPS", "httpHeaders": [{"name": "x-a", "value": "b"}]}},
        {"tcpSocket": {"port": 80}},
        {"exec": {"command": ["true"]}, "successThreshold": 0},
    ],
)
def test_a_readiness_probe_is_by_http_tcp_or_command(probe: dict[str, Any]) -> None:
    got = wire(api.ReadinessProbe.from_wire(probe))
    assert got == probe
