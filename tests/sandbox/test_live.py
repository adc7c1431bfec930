"""The plan, services and listeners of the live data plane, without its processes; the real one is in tests/e2e."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict
from typing import Any

import pytest

from sandbox.live import capture, registry
from sandbox.live.plan import Plan
from sandbox.live.snapshot import Snapshot
from tests.sandbox.snapshots import GATEWAY_PORTS, INGRESS, PLAN, REVIEWS, custom, pod, seen, service


def endpoints(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    found = {entry["metadata"]["name"]: entry for entry in registry.entries(snapshot, PLAN)}
    listed: list[dict[str, Any]] = found[f"live-{name}"]["spec"]["endpoints"]
    return listed


# The plan


def test_addresses_are_outside_the_range_that_services_get_by_default() -> None:
    addresses = [PLAN.pilot, *(w.outbound for w in PLAN.workloads), *(p.address for p in PLAN.proxies)]
    assert len(set(addresses)) == len(addresses)
    first, last = (ipaddress.IPv4Network(PLAN.service_range)[place] for place in (1, 256))
    assert all(first < ipaddress.IPv4Address(address) < last for address in addresses)


def test_a_plan_survives_a_round_trip_through_its_file() -> None:
    assert Plan.of(json.loads(PLAN.text)) == PLAN


def test_a_plan_of_another_release_raises_type_error() -> None:
    with pytest.raises(TypeError):
        Plan.of({**asdict(PLAN), "unheard": 1})
    with pytest.raises(TypeError):
        Plan.of({name: value for name, value in asdict(PLAN).items() if name not in ("places", "declared")})


# Services


def test_a_service_has_an_endpoint_for_each_version_with_a_ready_pod() -> None:
    labels = [workload.labels for workload in REVIEWS]
    snapshot = seen(service("reviews"), pod(labels[0]), pod(labels[1], ready="False"), pod(labels[2]), pod(labels[2]))
    first, third = endpoints(snapshot, "reviews")
    assert (first["address"], first["labels"]["version"], first["weight"]) == (REVIEWS[0].address, "v1", 1)
    assert (third["address"], third["labels"]["version"], third["weight"]) == (REVIEWS[2].address, "v3", 2)


def test_pods_of_another_namespace_are_not_those_of_a_stand_in() -> None:
    assert endpoints(seen(service("reviews"), pod(REVIEWS[0].labels, namespace="other")), "reviews") == []


def test_a_service_without_a_stand_in_has_no_endpoints() -> None:
    snapshot = seen(service("shop"), pod({"app": "shop"}))
    assert endpoints(snapshot, "shop") == []
    assert registry.unserved(snapshot, PLAN) == ["default/shop"]


def test_a_service_without_pods_is_not_reported_as_unserved() -> None:
    assert registry.unserved(seen(service("shop")), PLAN) == []


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("http", "HTTP"),
        ("http-web", "HTTP"),
        ("http2", "HTTP2"),
        ("grpc-web", "GRPC-WEB"),
        ("web", ""),
        ("thrift", "TCP"),
    ],
)
def test_the_protocol_is_read_from_a_ports_name(name: str, protocol: str) -> None:
    [entry] = registry.entries(seen(service("shop", ports=[{"name": name, "port": 1}])), PLAN)
    assert entry["spec"]["ports"][0]["protocol"] == protocol


def test_the_export_to_annotation_is_kept() -> None:
    exported = service("shop", annotations={"networking.istio.io/exportTo": "."})
    [entry] = registry.entries(seen(exported), PLAN)
    assert entry["spec"]["exportTo"] == ["."]


def test_a_gateways_service_is_the_youngest_so_that_callers_reach_another_one_with_its_port() -> None:
    age = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    entries = registry.entries(seen(service("shop", **age), service(INGRESS.name, INGRESS.namespace, **age)), PLAN)
    assert ["creationTimestamp" in entry["metadata"] for entry in entries] == [False, True]


# Listeners


def test_a_gateway_listens_on_its_node_ports_on_loopback() -> None:
    [one] = capture.gateway_ports(seen(service(INGRESS.name, INGRESS.namespace, GATEWAY_PORTS)), PLAN)
    [patch] = one["spec"]["configPatches"]
    assert patch["match"]["listener"] == {"portNumber": 8080}
    value = patch["patch"]["value"]
    assert value["address"]["socket_address"]["address"] == PLAN.gateways[0].address
    node_port = value["additional_addresses"][0]["address"]["socket_address"]
    assert node_port == {"address": "127.0.0.1", "port_value": 31102}


def ports_for(server: dict[str, Any], selector: Any = INGRESS.labels) -> dict[str, int]:
    """The node ports that a Gateway with this server opens."""
    gateway = custom("Gateway", {"selector": selector, "servers": [server]})
    return capture.open_ports(seen(service(INGRESS.name, INGRESS.namespace, GATEWAY_PORTS), gateway), PLAN)


@pytest.mark.parametrize(("number", "expected"), [(80, {"http2": 31102}), (8080, {"http2": 31102}), (443, {})])
def test_a_node_port_is_open_if_a_gateway_opens_its_port(number: int, expected: dict[str, int]) -> None:
    assert ports_for({"port": {"number": number, "protocol": "HTTP"}}) == expected


@pytest.mark.parametrize(
    "server",
    [
        {"port": {"number": 80, "protocol": "TCP"}},
        {"port": {"number": 80, "protocol": "HTTPS"}, "tls": {"mode": "PASSTHROUGH"}},
    ],
)
def test_a_port_that_opens_only_with_a_route_is_not_waited_for(server: dict[str, Any]) -> None:
    assert ports_for(server) == {}


def test_a_gateway_of_other_pods_opens_no_port_of_the_ingress() -> None:
    assert ports_for({"port": {"number": 80, "protocol": "HTTP"}}, {"istio": "other"}) == {}


def test_a_gateway_without_a_selector_applies_to_every_gateway() -> None:
    assert ports_for({"port": {"number": 80, "protocol": "HTTP"}}, {}) == {"http2": 31102}


def sidecar(snapshot: Snapshot, name: str) -> dict[str, Any]:
    found = {one["metadata"]["name"]: one["spec"] for one in capture.sidecars(snapshot, PLAN)}
    spec: dict[str, Any] = found[f"live-{name}"]
    return spec


def test_a_sidecar_has_inbound_and_outbound_listeners() -> None:
    spec = sidecar(seen(service("reviews")), "reviews-v2")
    assert spec["workloadSelector"]["labels"] == REVIEWS[1].mark
    assert spec["ingress"][0]["bind"] == REVIEWS[1].address
    assert spec["egress"] == [{"bind": REVIEWS[1].outbound, "captureMode": "NONE", "hosts": ["*/*"]}]


def test_only_the_most_specific_sidecar_of_the_user_counts() -> None:
    def wish(host: str, name: str, selector: dict[str, Any] | None = None, place: str = "default") -> dict[str, Any]:
        spec = {"egress": [{"hosts": [host]}], **({"workloadSelector": selector} if selector else {})}
        return custom("Sidecar", spec, name, place)

    of_mesh = wish("mesh/*", "mesh", place="istio-system")
    of_namespace = wish("./*", "namespace")
    of_workload = wish("own/*", "workload", {"labels": {"app": "reviews"}})
    hosts = [
        sidecar(seen(*given), "reviews-v1")["egress"][0]["hosts"] for given in ([of_mesh, of_namespace], [of_mesh])
    ]
    assert hosts == [["./*"], ["mesh/*"]]
    everything = seen(of_mesh, of_namespace, of_workload)
    assert sidecar(everything, "reviews-v1")["egress"][0]["hosts"] == ["own/*"]
    assert sidecar(everything, "ratings-v1")["egress"][0]["hosts"] == ["./*"]
