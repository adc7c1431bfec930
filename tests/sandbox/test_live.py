"""The live data plane without its processes; tests/e2e/test_live.py has the real one."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from commands import live
from mesh.config import loading, settings
from mesh.traffic import envoy
from mesh.traffic.rate_limits import Limit
from sandbox.live import capture, certificates, pilot, proxies, registry, sync, translate
from sandbox.live.folder import Folder
from sandbox.live.plan import DeclaredGateway, Plan
from sandbox.live.programs import Binaries, programs
from sandbox.live.snapshot import ISTIO, Snapshot
from sandbox.paths import Layout

INGRESS = DeclaredGateway(
    "istio-ingressgateway", "istio-system", {"app": "istio-ingressgateway", "istio": "ingressgateway"}
)
PLAN = Plan(
    service_range="127.77.0.0/16",
    stack="dev",
    namespace="default",
    root="istio-system",
    mesh_config="istio",
    version="1.10.3",
    domain="cluster.local",
    ingress="istio-ingressgateway",
    edges=(INGRESS,),
)
REVIEWS = [workload for workload in PLAN.workloads if workload.app == "reviews"]


def pod(labels: dict[str, str], namespace: str = "default", ready: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"namespace": namespace, "labels": labels}, "status": {"conditions": conditions}}


def service(name: str, namespace: str = "default", ports: Any = None, **metadata: Any) -> dict[str, Any]:
    ports = ports or [{"name": "http", "port": 9080, "targetPort": 9080}]
    selector = dict(INGRESS.labels) if name == INGRESS.name else {"app": name}
    return {
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"selector": selector, "ports": ports},
    }


def custom(kind: str, spec: dict[str, Any], name: str = "one", namespace: str = "default") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "1", "managedFields": []}
    return {"apiVersion": "networking.istio.io/v1alpha3", "kind": kind, "metadata": metadata, "spec": spec}


def seen(*objects: dict[str, Any], mesh_config: str = "", secrets: Any = None) -> Snapshot:
    """A cluster with these objects: Services and pods have no kind, as in the API server's lists."""
    istio = {kind: [one for one in objects if one.get("kind") == kind] for kind in ISTIO}
    services = [one for one in objects if "kind" not in one and "spec" in one]
    return Snapshot(services, [one for one in objects if "status" in one], istio, mesh_config, secrets or {})


GATEWAY_PORTS = [{"name": "http2", "port": 80, "targetPort": 8080, "nodePort": 31102}]


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


# Services


def test_a_service_has_an_endpoint_for_each_version_with_a_ready_pod() -> None:
    labels = [workload.labels for workload in REVIEWS]
    snapshot = seen(service("reviews"), pod(labels[0]), pod(labels[1], ready="False"), pod(labels[2]), pod(labels[2]))
    first, third = endpoints(snapshot, "reviews")
    assert (first["address"], first["labels"]["version"], first["weight"]) == (REVIEWS[0].address, "v1", 1)
    assert (third["address"], third["labels"]["version"], third["weight"]) == (REVIEWS[2].address, "v3", 2)


def test_pods_of_another_namespace_have_no_stand_in() -> None:
    assert endpoints(seen(service("reviews"), pod(REVIEWS[0].labels, namespace="other")), "reviews") == []


def test_a_service_without_a_stand_in_has_no_endpoints() -> None:
    snapshot = seen(service("shop"), pod({"app": "shop"}))
    assert endpoints(snapshot, "shop") == []
    assert registry.unserved(snapshot, PLAN) == ["default/shop"]


def test_a_service_without_pods_is_not_reported_as_unserved() -> None:
    assert registry.unserved(seen(service("shop")), PLAN) == []


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("http", "HTTP"), ("http-web", "HTTP"), ("http2", "HTTP2"), ("grpc-web", "GRPC-WEB"), ("web", "TCP")],
)
def test_the_protocol_is_read_from_a_ports_name(name: str, protocol: str) -> None:
    [entry] = registry.entries(seen(service("shop", ports=[{"name": name, "port": 1}])), PLAN)
    assert entry["spec"]["ports"][0]["protocol"] == protocol


def test_the_export_to_annotation_is_kept() -> None:
    exported = service("shop", annotations={"networking.istio.io/exportTo": "."})
    [entry] = registry.entries(seen(exported), PLAN)
    assert entry["spec"]["exportTo"] == ["."]


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
    assert spec["workloadSelector"]["labels"] == {"app": "reviews", "version": "v2"}
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


# The stack's own objects


def test_pilot_gets_objects_without_fields_of_the_api_server() -> None:
    [one] = translate.objects(seen(custom("VirtualService", {"hosts": ["reviews"]})), PLAN)
    assert one["spec"] == {"hosts": ["reviews"]}
    assert one["metadata"] == {"name": "one", "namespace": "default"}


def test_mutual_tls_is_removed_everywhere_and_reported() -> None:
    mutual, simple = {"tls": {"mode": "ISTIO_MUTUAL"}}, {"tls": {"mode": "SIMPLE"}}
    subsets = [{"name": "v1", "trafficPolicy": {**mutual, "loadBalancer": {"simple": "RANDOM"}}}]
    ours = custom("DestinationRule", {"host": "reviews", "trafficPolicy": mutual, "subsets": subsets}, "ours")
    others = custom("DestinationRule", {"host": "example.com", "trafficPolicy": simple}, "others")
    snapshot = seen(ours, others)
    first, second = translate.objects(snapshot, PLAN)
    cleaned = [{"name": "v1", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}]
    assert first["spec"] == {"host": "reviews", "subsets": cleaned}
    assert second["spec"]["trafficPolicy"] == simple
    [names] = translate.left_out(snapshot, PLAN).values()
    assert names == ["DestinationRule default/ours"]


PLAIN = {"port": {"number": 80}, "hosts": ["*"]}
SECURE = {
    "port": {"number": 443},
    "hosts": ["default/books.example.com"],
    "tls": {"mode": "SIMPLE", "credentialName": "page"},
}
SELECTOR = {"selector": {"istio": "ingressgateway"}}
PAIR = {"tls.crt": "Y2hhaW4=", "tls.key": "a2V5"}


def test_a_server_whose_secret_is_missing_is_left_out_and_reported() -> None:
    both = custom("Gateway", {**SELECTOR, "servers": [PLAIN, SECURE]}, "both")
    snapshot = seen(both, custom("Gateway", {**SELECTOR, "servers": [SECURE]}, "secure"))
    [one] = translate.objects(snapshot, PLAN)
    assert one["spec"]["servers"] == [PLAIN]
    [names] = translate.left_out(snapshot, PLAN).values()
    assert names == ["Gateway default/both", "Gateway default/secure"]


@pytest.mark.parametrize("pair", [PAIR, {"cert": "Y2hhaW4=", "key": "a2V5"}])
def test_a_secret_is_written_to_files_for_its_gateway(pair: dict[str, str], folder: Folder) -> None:
    ports = [{"name": "https", "port": 443, "targetPort": 8443, "nodePort": 31443}]
    snapshot = seen(
        service(INGRESS.name, INGRESS.namespace, ports),
        custom("Gateway", {**SELECTOR, "servers": [SECURE]}),
        secrets={("istio-system", "page"): pair},
    )
    assert translate.left_out(snapshot, PLAN) == {}
    sync.write(snapshot, PLAN, folder)
    chain, key = sorted(folder.certificates.iterdir())
    assert (chain.read_text(), key.read_text()) == ("chain", "key")
    assert key.stat().st_mode & 0o077 == 0
    [one] = certificates.filters(snapshot, PLAN, folder)
    [patch] = one["spec"]["configPatches"]
    assert patch["match"]["listener"] == {"portNumber": 8443, "filterChain": {"sni": "books.example.com"}}
    assert str(key) in json.dumps(patch["patch"]["value"])
    sync.write(seen(), PLAN, folder)
    assert list(folder.certificates.iterdir()) == []


@pytest.mark.parametrize("secret", [{}, {"tls.crt": "Y2hhaW4="}, {"tls.crt": "Y2hhaW4=", "tls.key": "no base64"}])
def test_a_secret_without_certificate_and_key_counts_as_missing(secret: dict[str, str]) -> None:
    gateway = custom("Gateway", {**SELECTOR, "servers": [SECURE]})
    assert list(translate.objects(seen(gateway, secrets={("istio-system", "page"): secret}), PLAN)) == []


def policy(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return custom("AuthorizationPolicy", spec, name, namespace)


BY_CALLER: dict[str, Any] = {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/reviews"]}}]}]}
BY_CONDITION: dict[str, Any] = {"rules": [{"when": [{"key": "source.principal", "values": ["*"]}]}]}
BY_PATH: dict[str, Any] = {"rules": [{"to": [{"operation": {"paths": ["/admin"]}}]}]}


def test_policies_without_identity_conditions_are_applied() -> None:
    names = [
        one["metadata"]["name"] for one in translate.objects(seen(policy("deny-all"), policy("p", **BY_PATH)), PLAN)
    ]
    assert names == ["deny-all", "p"]


@pytest.mark.parametrize("asking", [BY_CALLER, BY_CONDITION])
def test_all_allow_policies_of_a_namespace_are_left_out_if_one_needs_an_identity(asking: dict[str, Any]) -> None:
    snapshot = seen(
        policy("deny-all"),
        policy("by-caller", **asking),
        policy("no-admin", action="DENY", **BY_PATH),
        policy("not-him", action="DENY", **asking),
    )
    assert [one["metadata"]["name"] for one in translate.objects(snapshot, PLAN)] == ["no-admin"]
    [names] = translate.left_out(snapshot, PLAN).values()
    assert [name.rpartition("/")[2] for name in names] == ["deny-all", "by-caller", "not-him"]


def test_allow_policies_of_other_namespaces_are_applied_but_not_mesh_wide_ones() -> None:
    at_the_edge = {"selector": {"matchLabels": {"istio": "ingressgateway"}}, **BY_PATH}
    snapshot = seen(
        policy("by-caller", **BY_CALLER),
        policy("deny-all", "istio-system"),
        policy("edge", "istio-system", **at_the_edge),
        policy("other", "other", **BY_PATH),
    )
    assert [one["metadata"]["name"] for one in translate.objects(snapshot, PLAN)] == ["edge", "other"]


def test_a_mesh_wide_allow_policy_that_needs_an_identity_affects_all_namespaces() -> None:
    snapshot = seen(policy("by-caller", "istio-system", **BY_CALLER), policy("other", "other", **BY_PATH))
    assert list(translate.objects(snapshot, PLAN)) == []


def envoy_filter(*patches: dict[str, Any]) -> dict[str, Any]:
    return custom("EnvoyFilter", {"configPatches": list(patches)})


def patch(version: str = "", value: str = "envoy.filters.http.local_ratelimit") -> dict[str, Any]:
    return {"match": {"proxy": {"proxyVersion": version}}, "patch": {"value": {"name": value}}}


def test_envoy_filters_are_matched_with_the_installed_version() -> None:
    given = envoy_filter(patch("^1\\.9.*"), patch("^1\\.10.*"), patch())
    [one] = translate.objects(seen(given), PLAN)
    assert one["spec"]["configPatches"] == [patch("^1\\.10.*"), patch()]


@pytest.mark.parametrize("value", ["envoy.wasm.stats", "istio.metadata_exchange", "istio.stackdriver"])
def test_envoy_filters_with_istios_extensions_are_left_out_and_reported(value: str) -> None:
    snapshot = seen(envoy_filter(patch(value=value)))
    assert list(translate.objects(snapshot, PLAN)) == []
    assert list(translate.left_out(snapshot, PLAN).values()) == [["EnvoyFilter default/one"]]


def test_a_global_rate_limit_is_left_out_and_reported() -> None:
    limit = Limit(requests=1, scope="global")
    asking, rest = envoy.global_filter("GATEWAY", deny=True), [envoy.global_route("shop.0", "hosts.shop.0", limit)]
    local = envoy.local_filter("GATEWAY", limit)
    snapshot = seen(envoy_filter(local, asking, *rest))
    [one] = translate.objects(snapshot, PLAN)
    assert one["spec"]["configPatches"] == [local, *rest], "denied, for want of an answer, would be every request"
    [(reason, names)] = translate.left_out(snapshot, PLAN).items()
    assert reason.startswith("global limits: the rate-limit service")
    assert names == ["EnvoyFilter default/one"]


def test_an_envoy_filter_with_global_limits_only_is_reported_once() -> None:
    snapshot = seen(envoy_filter(envoy.global_filter("GATEWAY", deny=False)))
    assert list(translate.objects(snapshot, PLAN)) == []
    assert list(translate.left_out(snapshot, PLAN).values()) == [["EnvoyFilter default/one"]]


def test_a_local_rate_limit_is_not_reported_as_left_out() -> None:
    snapshot = seen(envoy_filter(envoy.local_filter("GATEWAY", Limit(requests=1))))
    assert translate.left_out(snapshot, PLAN) == {}


def test_mesh_config_fields_about_traffic_are_kept() -> None:
    config = "accessLogFile: /dev/stdout\nenableAutoMtls: true\ntrustDomain: td\nrootNamespace: mesh-root\n"
    made = translate.mesh_config(seen(mesh_config=config))
    assert made["accessLogFile"] == "/dev/stdout"
    assert made["rootNamespace"] == "mesh-root"
    assert made["enableAutoMtls"] is False
    assert "trustDomain" not in made


# Files and processes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    layout = Layout(tmp_path)
    for place in (layout.logs, layout.run):
        place.mkdir()
    made = Folder(layout)
    made.make()
    return made


def test_files_are_written_only_after_a_change_of_the_cluster(folder: Folder) -> None:
    snapshot = seen(service("reviews"), pod(REVIEWS[0].labels))
    assert sync.write(snapshot, PLAN, folder)
    before = folder.objects.stat().st_mtime_ns
    assert not sync.write(snapshot, PLAN, folder)
    assert folder.objects.stat().st_mtime_ns == before
    assert sync.write(seen(service("reviews")), PLAN, folder)
    assert json.loads(folder.notes.read_text())["serving"] == []


def commands_of(plan: Plan, folder: Folder) -> dict[str, tuple[str, ...]]:
    built = Binaries(Path("/bin/pilot"), Path("/bin/envoy"))
    return {program.name: program.command for program in programs(plan, folder, built)}


def test_a_command_line_changes_with_the_files_that_its_process_reads(folder: Folder) -> None:
    before = commands_of(PLAN, folder)
    assert commands_of(PLAN, folder) == before
    other = DeclaredGateway(INGRESS.name, INGRESS.namespace, {**INGRESS.labels, "more": "yes"})
    after = commands_of(replace(PLAN, edges=(other,)), folder)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"live-proxy-istio-ingressgateway", "live-sync", "live-stand-ins"}


def test_files_of_former_processes_are_deleted(folder: Folder) -> None:
    wanted = {Path(word) for command in commands_of(PLAN, folder).values() for word in command}
    old = folder.plan("0123")
    for file in (old, folder.notes, folder.switches):
        file.write_text("{}")
    folder.tidy(wanted)
    assert not old.exists()
    assert folder.notes.exists()
    assert folder.switches.exists()
    assert len(list(folder.root.glob("*-*.json"))) == 1 + len(PLAN.proxies)


def test_each_envoys_node_id_names_its_workload() -> None:
    [gateway, *_, ratings] = PLAN.proxies
    node = proxies.bootstrap(PLAN, gateway)["node"]
    assert node["id"] == f"router~{gateway.address}~istio-ingressgateway.istio-system~istio-system.svc.cluster.local"
    node = proxies.bootstrap(PLAN, ratings)["node"]
    assert node["id"] == f"sidecar~{ratings.address}~ratings-v1.default~default.svc.cluster.local"
    assert node["metadata"]["LABELS"] == {"app": "ratings", "version": "v1"}


def test_the_called_cluster_in_a_metric_keeps_the_dots_of_its_host() -> None:
    [regex] = [tag["regex"] for tag in proxies.bootstrap(PLAN, PLAN.proxies[0])["stats_config"]["stats_tags"][:1]]
    names = {
        "cluster.outbound|9080|v1|reviews.default.svc.cluster.local;.upstream_rq_200": "upstream_rq_200",
        "cluster.inbound|9080||;.upstream_rq_time": "upstream_rq_time",
        "cluster.xds-grpc.upstream_cx_active": "upstream_cx_active",
    }
    for name, rest in names.items():
        assert (found := re.match(regex, name))
        assert found[2] == name.removeprefix("cluster.").removesuffix(f".{rest}").rstrip(";")
        assert name.replace(found[1], "") == f"cluster.{rest}"


def test_prometheus_scrapes_pilot_and_every_proxy(folder: Folder) -> None:
    commands_of(PLAN, folder)
    jobs = json.loads(folder.scraping.read_text())["scrape_configs"]
    targets = {where for job in jobs for one in job["static_configs"] for where in one["targets"]}
    assert targets == {f"{PLAN.pilot}:15014", *(f"{proxy.address}:15000" for proxy in PLAN.proxies)}
    [ratings] = [one["labels"] for one in jobs[1]["static_configs"] if one["labels"]["pod"] == "ratings-v1"]
    assert ratings == {"app": "ratings", "version": "v1", "namespace": "default", "pod": "ratings-v1"}


def test_pilots_rejection_is_read_from_its_log_until_it_accepts_the_files(folder: Folder) -> None:
    assert pilot.refusal(folder.layout) == ""
    log = folder.layout.logs / "live-pilot.log"
    log.write_text(f"{pilot.RELOAD_MESSAGE}\nwarn\tFailed to parse objects.yaml: no host\n")
    assert pilot.refusal(folder.layout) == "no host"
    log.write_text(log.read_text() + f"{pilot.RELOAD_MESSAGE}\n")
    assert pilot.refusal(folder.layout) == ""


# Which stacks


def chosen(**more: str) -> settings.Settings:
    config = {
        "mesh:context": "mesh-dev",
        "mesh:profile": "demo",
        "mesh:injectedNamespaces": '{"default": "existing"}',
        "mesh:bookinfo": "true",
    }
    return loading.load({key: value for key, value in {**config, **more}.items() if value}).settings


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"mesh:context": "elsewhere"}, False),
        ({"mesh:bookinfo": ""}, False),
        ({"mesh:profile": "minimal"}, False),
    ],
)
def test_a_stack_is_live_on_the_embedded_cluster_if_it_has_bookinfo_and_an_ingress_gateway(
    more: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIVE", raising=False)
    assert live.should_run(chosen(**more)) is expected


def test_live_0_turns_the_live_data_plane_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE", "0")
    assert not live.should_run(chosen())


def test_a_plan_has_the_names_of_the_stacks_mesh() -> None:
    fields = live._fields("dev", chosen())
    plan = Plan(service_range="127.77.0.0/16", **fields)
    assert (plan.root, plan.mesh_config, plan.domain) == ("istio-system", "istio", "cluster.local")
    assert re.match(r"1\.10", plan.version)
    assert [edge.name for edge in plan.edges] == ["istio-ingressgateway", "istio-egressgateway"]
