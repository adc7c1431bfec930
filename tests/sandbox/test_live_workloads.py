"""Which workloads get stand-ins, with which addresses and ports."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cluster.client import Answer
from sandbox.live import capture, registry, scraping, workloads
from sandbox.live.plan import MOST, PILOT, DeclaredGateway, DeclaredWorkload, Identity, Plan
from sandbox.live.snapshot import Snapshot, controller
from tests.fake_api import FakeApi
from tests.sandbox.snapshots import INGRESS, PLAN, custom, pod, seen, service


def declared(name: str, namespace: str = "shop", ports: dict[str, int] | None = None) -> DeclaredWorkload:
    return DeclaredWorkload(name, namespace, {"app": name}, ports or {})


def controlled(name: str, labels: dict[str, str], namespace: str = "shop", ports: Any = ()) -> dict[str, Any]:
    """A Deployment, or another object with a pod template."""
    spec = {"containers": [{"name": "c", "ports": list(ports)}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"template": template}}


def found(snapshot: Snapshot, plan: Plan = PLAN, **listed: list[dict[str, Any]]) -> dict[str, DeclaredWorkload]:
    """The declared workloads on a cluster with these objects of `apps/v1`, by name."""
    answers = {f"GET /apis/apps/v1/{kind}": Answer(200, {"items": []}) for kind in workloads.CONTROLLERS}
    answers |= {f"GET /apis/apps/v1/{kind}": Answer(200, {"items": items}) for kind, items in listed.items()}
    return {one.name: one for one in workloads.declared(FakeApi(answers), snapshot, plan)}


def test_each_kind_of_controller_whose_pods_a_service_selects_has_a_stand_in() -> None:
    services = seen(*(service(name, "shop") for name in ("cart", "store", "agent")))
    made = found(
        services,
        deployments=[controlled("cart-v1", {"app": "cart"}), controlled("batch", {"app": "batch"})],
        statefulsets=[controlled("store", {"app": "store"})],
        daemonsets=[controlled("agent", {"app": "agent"})],
    )
    assert list(made) == ["cart-v1", "store", "agent"], "batch has no Service"


def test_pods_of_other_controllers_and_of_none_have_stand_ins() -> None:
    rollout = pod({"app": "cart"}, "shop")
    rollout["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "cart-7f9", "controller": True}]
    alone = {
        **pod({"app": "cart"}, "shop"),
        "metadata": {"name": "cart-0", "namespace": "shop", "labels": {"app": "cart"}},
    }
    pods = [{**one, "spec": {"containers": []}} for one in (rollout, alone)]
    made = found(replace(seen(service("cart", "shop")), pods=pods))
    assert list(made) == ["cart-7f9", "cart-0"]
    assert made["cart-7f9"].labels == {"app": "cart"}


def test_gateways_istio_and_kubernetes_have_none() -> None:
    edge = DeclaredGateway("edge", "shop", {"app": "edge"})
    places = ("kube-system", "istio-system")
    snapshot = seen(service("edge", "shop"), *(service("dns", place) for place in places))
    objects = [controlled("edge", {"app": "edge"}), *(controlled("dns", {"app": "dns"}, place) for place in places)]
    assert found(snapshot, replace(PLAN, edges=(INGRESS, edge)), deployments=objects) == {}


def test_a_pod_is_of_the_deployment_whose_replica_set_controls_it() -> None:
    made = pod({"app": "cart", "version": "v1"})
    assert controller(made) == "cart-v1"
    made["metadata"]["ownerReferences"][0]["kind"] = "StatefulSet"
    assert controller(made) == "cart-v1-5d8f"


# Places


def test_a_proxy_keeps_its_place_and_a_new_one_gets_the_first_that_is_free() -> None:
    before = PLAN.serving([declared("cart"), declared("store")], {})
    assert before.places == {PILOT: 0, INGRESS.name: 1, "cart.shop": 2, "store.shop": 3}
    after = PLAN.serving([declared("basket"), declared("stock"), declared("store")], before.places)
    assert after.places == {PILOT: 0, INGRESS.name: 1, "basket.shop": 2, "stock.shop": 4, "store.shop": 3}


def test_proxies_that_start_beside_former_ones_share_no_address_with_them() -> None:
    before = PLAN.serving([declared("cart")], {})
    after = PLAN.serving([declared("cart")], {}, {*before.places.values()})
    assert after.places == {PILOT: 3, INGRESS.name: 4, "cart.shop": 5}
    assert not {before.pilot, *(one.address for one in before.proxies)} & {
        after.pilot,
        *(one.address for one in after.proxies),
    }
    assert before.leaves_room
    assert not PLAN.serving([declared(f"one-{number:03}") for number in range(MOST // 2)], {}).leaves_room


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ({}, False),
        ({"stack": "other"}, False),
        ({"version": "1.30.3"}, True),
        ({"identity": Identity("istiod-blue", "Kubernetes")}, True),
    ],
)
def test_another_release_or_istiod_starts_every_proxy_anew(changed: dict[str, Any], anew: bool) -> None:
    assert replace(PLAN, **changed).starts_anew(PLAN) == anew


def test_apps_change_no_address_of_bookinfo_and_its_gateway() -> None:
    plan = PLAN.serving([*PLAN.declared, declared("a", "a")], {})
    assert {key: plan.places[key] for key in PLAN.places} == PLAN.places


def test_every_place_has_addresses_of_its_own_and_more_workloads_have_none() -> None:
    plan = PLAN.serving([declared(f"one-{number:03}") for number in range(MOST + 9)], {})
    addresses = [plan.pilot, *(one.address for one in plan.proxies), *(one.outbound for one in plan.workloads)]
    assert len(plan.proxies) == MOST
    assert len({*addresses}) == len(addresses)
    assert Plan.of(json.loads(plan.text)) == plan


# Ports


def made(snapshot: Snapshot, one: DeclaredWorkload) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The endpoint of a workload's only Service, and the listeners of its Sidecar."""
    plan = PLAN.serving([one], {})
    [entry] = registry.entries(snapshot, plan)
    [sidecar] = capture.sidecars(snapshot, plan)
    return entry["spec"]["endpoints"][0], sidecar["spec"]["ingress"]


def test_an_endpoint_listens_on_the_port_that_its_container_names_and_none_below_1024() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "tcp-admin", "port": 79}]
    snapshot = seen(service("cart", "shop", ports), pod({"app": "cart"}, "shop"))
    endpoint, ingress = made(snapshot, declared("cart", ports={"web": 8080}))
    assert endpoint["ports"] == {"http": 8080, "tcp-admin": 64079}
    assert [(one["port"]["number"], one["port"]["protocol"]) for one in ingress] == [(8080, "HTTP"), (64079, "TCP")]


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("http", "HTTP"),
        ("http2", "HTTP"),
        ("grpc-x", "GRPC"),
        ("tcp", "TCP"),
        ("redis", "REDIS"),
        ("tls", "TCP"),
        ("x", ""),
    ],
)
def test_a_stand_in_is_asked_in_the_protocol_that_the_port_names(name: str, protocol: str) -> None:
    snapshot = seen(service("cart", "shop", [{"name": name, "port": 7000}]), pod({"app": "cart"}, "shop"))
    [listener] = made(snapshot, declared("cart"))[1]
    assert listener["port"]["protocol"] == protocol


def test_listeners_for_calls_below_1024_are_bound_to_other_ports() -> None:
    entry = custom("ServiceEntry", {"hosts": ["example.com"], "ports": [{"number": 443, "name": "tls"}]})
    snapshot = seen(service("cart", "shop", [{"name": "http", "port": 80}, {"name": "x", "port": 8080}]), entry)
    [one] = capture.called_ports(snapshot, PLAN.serving([declared("cart"), declared("stock")], {}))
    assert one["metadata"]["namespace"] == "shop"
    changed = {
        patch["match"]["listener"]["portNumber"]: patch["patch"]["value"]["address"]["socket_address"]["port_value"]
        for patch in one["spec"]["configPatches"]
    }
    assert changed == {80: 64080, 443: 64443}
    assert list(capture.called_ports(seen(service("cart", "shop")), PLAN)) == []


def test_a_port_that_two_services_share_is_one_listener() -> None:
    plan = PLAN.serving([declared("cart")], {})
    canary = {**service("cart-canary", "shop"), "spec": service("cart", "shop")["spec"]}
    [sidecar] = capture.sidecars(seen(service("cart", "shop"), canary), plan)
    assert [one["port"]["number"] for one in sidecar["spec"]["ingress"]] == [9080]


def test_a_service_without_tcp_ports_is_left_out_for_pilot_would_refuse_all() -> None:
    names = {"metadata": {"name": "out", "namespace": "shop"}, "spec": {"type": "ExternalName"}}
    dns = service("dns", "shop", [{"name": "dns", "port": 53, "protocol": "UDP"}])
    assert list(registry.entries(seen(names, dns), PLAN)) == []


def test_prometheus_gets_no_label_that_it_refuses() -> None:
    labels = {"app.kubernetes.io/name": "cart", "app.kubernetes.io/version": "2"}
    plan = PLAN.serving([DeclaredWorkload("cart-v2", "shop", labels, {})], {})
    jobs = json.loads(scraping.config(plan))["scrape_configs"]
    assert jobs[1]["static_configs"][-1]["labels"] == {
        "app": "cart",
        "version": "2",
        "namespace": "shop",
        "pod": "cart-v2",
    }
