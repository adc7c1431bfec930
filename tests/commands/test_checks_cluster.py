"""`make precheck`: nodes, node ports and load balancers."""

from typing import Any

import pytest

from commands.checks import Level, nodes, services
from commands.checks.plan import Plan
from mesh.config import loading
from tests.fake_api import NODE, FakeApi, case, listing, only, status

SERVICE = "POST /api/v1/namespaces/default/services"


def node(name: str, architecture: str = "amd64", cpu: str = "4", memory: str = "16Gi", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/arch": architecture}},
        "spec": spec,
        "status": {"allocatable": {"cpu": cpu, "memory": memory}},
    }


def with_nodes(*found: dict[str, Any]) -> FakeApi:
    return FakeApi({"GET /api/v1/nodes": listing(*found)})


def service(name: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}


def with_services(*found: dict[str, Any]) -> FakeApi:
    return FakeApi({"GET /api/v1/services": listing(*found)})


def test_nodes_of_the_right_architecture_with_enough_resources_are_ok() -> None:
    result = nodes.check(case(with_nodes(NODE)))
    assert result.level is Level.OK
    assert result.text.startswith("1 node (amd64) with 4 cpu, 15.63 GiB memory, for requests of 0.")


def test_no_node_of_the_right_architecture_is_an_error() -> None:
    result = nodes.check(case(with_nodes(node("a", "arm64"), node("b", "ppc64le"))))
    assert result.level is Level.ERROR
    assert "its images are for amd64, the nodes are arm64, ppc64le" in result.text


def test_some_nodes_of_another_architecture_are_a_warning_that_names_them() -> None:
    result = nodes.check(case(with_nodes(NODE, *(node(f"arm-{i}", "arm64") for i in range(7)))))
    assert result.level is Level.WARNING
    assert "arm-4 and 2 more" in result.details[0]
    assert "node-1" not in result.details[0]


def test_a_release_with_images_for_both_architectures_fits_every_node() -> None:
    both = with_nodes(node("a", "arm64"), node("b"))
    today = Plan([], loading.load({"mesh:release": "1.30"}).settings)
    assert nodes.check(case(both, today)).level is Level.OK
    assert nodes.check(case(both)).level is Level.WARNING


def test_images_of_another_registry_may_be_for_any_architecture() -> None:
    chosen = Plan([], loading.load({"mesh:hub": "registry.example.com/istio"}).settings)
    assert nodes.check(case(with_nodes(node("a", "arm64")), chosen)).level is Level.OK


@pytest.mark.parametrize(
    ("init", "requested"),
    [({}, 2), ({"restartPolicy": "Always"}, 8)],
    ids=["an init container", "a native sidecar"],
)
def test_a_daemon_set_requests_its_share_of_every_node(init: dict[str, str], requested: int) -> None:
    setup = {**init, "resources": {"requests": {"cpu": "3"}}}
    pod = {"initContainers": [setup], "containers": [{"resources": {"requests": {"cpu": "1"}}}]}
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "a", "namespace": "kube-system"},
        "spec": {"template": {"spec": pod}},
    }
    result = nodes.check(case(with_nodes(node("a"), node("b")), only(daemons)))
    assert result.text.endswith(f"for requests of {requested} cpu, 0 GiB memory")


def test_the_architecture_is_read_from_node_info_if_the_label_is_missing() -> None:
    bare = node("a")
    bare["metadata"]["labels"] = {}
    bare["status"]["nodeInfo"] = {"architecture": "arm64"}
    assert "arm64" in nodes.check(case(with_nodes(bare))).text


@pytest.mark.parametrize(
    "closed", [{"unschedulable": True}, {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}], ids=["cordoned", "taint"]
)
def test_nodes_that_take_no_pods_of_the_stack_do_not_count(closed: dict[str, Any]) -> None:
    result = nodes.check(case(with_nodes(node("a", **closed))))
    assert result.level is Level.ERROR
    assert "none of 1 node takes pods" in result.text
    assert nodes.check(case(with_nodes(NODE, node("arm", "arm64", **closed)))).level is Level.OK


def test_a_prefer_no_schedule_taint_does_not_matter() -> None:
    taint = {"key": "a", "effect": "PreferNoSchedule"}
    assert nodes.check(case(with_nodes(node("a", taints=[taint])))).level is Level.OK


@pytest.mark.parametrize(
    ("few", "words"),
    [
        ([{"cpu": "50m"}], "cpu in all are more than the nodes have: 0.05"),
        ([{"memory": "64Mi"}], "GiB memory in all are more"),
        ([{"memory": "90Mi"}] * 9, "one pod requests 0.1 GiB memory, and no node has more than 0.09"),
    ],
)
def test_requests_that_do_not_fit_are_a_warning(few: list[dict[str, str]], words: str) -> None:
    result = nodes.check(case(with_nodes(*(node(str(i), **amounts) for i, amounts in enumerate(few)))))
    assert result.level is Level.WARNING
    assert words in result.details[0]


def test_requests_of_sidecars_count() -> None:
    # demo: istiod 10m, two gateways of 10m, and six Bookinfo pods that request nothing but a sidecar's 10m each.
    pods = [pod["cpu"] for pod in nodes._pods(case(), 1)]
    assert sum(pods) == pytest.approx(0.09)
    assert len(pods) == 9


def test_a_node_port_of_another_service_is_an_error_that_names_the_service() -> None:
    result = services.node_ports(case(with_services(service("web", ports=[{"port": 80, "nodePort": 31102}]))))
    assert result.level is Level.ERROR
    assert result.details[0].startswith("31102 is the node port of Service shop/web;")


def test_a_health_check_node_port_counts_as_taken() -> None:
    result = services.node_ports(case(with_services(service("web", healthCheckNodePort=31102))))
    assert result.level is Level.ERROR


def test_the_stacks_own_gateway_may_have_its_node_port() -> None:
    own = service("istio-ingressgateway", "istio-system", ports=[{"port": 80, "nodePort": 31102}])
    assert services.node_ports(case(with_services(own))).level is Level.OK


def test_a_dry_run_finds_taken_node_ports_if_services_cannot_be_listed() -> None:
    cause = {"field": "spec.ports[1].nodePort", "message": "Invalid value: 31102: provided port is already allocated"}
    result = services.node_ports(case(FakeApi({SERVICE: status(422, 'Service "x" is invalid', causes=[cause])})))
    assert result.level is Level.ERROR
    assert any("istio-ingressgateway: Invalid value: 31102" in line for line in result.details)


def gateway(**spec: Any) -> Plan:
    return only({"apiVersion": "v1", "kind": "Service", **service("gateway", "istio-system", **spec)})


def test_a_node_port_outside_the_default_range_is_a_warning_unless_the_cluster_has_such_ports() -> None:
    result = services.node_ports(case(with_services(), gateway(ports=[{"port": 80, "nodePort": 8080}])))
    assert result.level is Level.WARNING
    assert "8080: outside of 30000-32767" in result.details[0]
    there = with_services(service("web", ports=[{"port": 80, "nodePort": 8081}]))
    assert services.node_ports(case(there, gateway(ports=[{"port": 80, "nodePort": 8080}]))).level is Level.OK


def test_a_stack_without_load_balancers_needs_no_check() -> None:
    assert services.load_balancer(case()).text == "not needed"


def test_a_service_with_an_address_shows_that_there_is_a_load_balancer() -> None:
    there = {**service("web", type="LoadBalancer"), "status": {"loadBalancer": {"ingress": [{"ip": "10.1.1.1"}]}}}
    result = services.load_balancer(case(with_services(there), gateway(type="LoadBalancer")))
    assert "Service shop/web has an address" in result.text


def test_a_cluster_without_load_balancer_addresses_is_reported_without_a_warning() -> None:
    result = services.load_balancer(
        case(with_services(service("web", type="LoadBalancer")), gateway(type="LoadBalancer"))
    )
    assert result.level is Level.OK
    assert "not known: no Service of type LoadBalancer" in result.text
