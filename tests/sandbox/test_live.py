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
from mesh.traffic.limits import Limit
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


def test_everyone_has_a_loopback_address_that_no_service_gets_by_chance() -> None:
    addresses = [PLAN.pilot, *(w.outbound for w in PLAN.workloads), *(p.address for p in PLAN.proxies)]
    assert len(set(addresses)) == len(addresses)
    first, last = (ipaddress.IPv4Network(PLAN.service_range)[place] for place in (1, 256))
    assert all(first < ipaddress.IPv4Address(address) < last for address in addresses)


def test_a_plan_is_what_it_was_after_it_was_kept() -> None:
    assert Plan.of(json.loads(PLAN.text)) == PLAN


def test_a_plan_of_another_release_is_told_by_its_type() -> None:
    with pytest.raises(TypeError):
        Plan.of({**asdict(PLAN), "unheard": 1})


# Services


def test_a_service_has_an_endpoint_for_each_version_with_a_ready_pod() -> None:
    labels = [workload.labels for workload in REVIEWS]
    snapshot = seen(service("reviews"), pod(labels[0]), pod(labels[1], ready="False"), pod(labels[2]), pod(labels[2]))
    first, third = endpoints(snapshot, "reviews")
    assert (first["address"], first["labels"]["version"], first["weight"]) == (REVIEWS[0].address, "v1", 1)
    assert (third["address"], third["labels"]["version"], third["weight"]) == (REVIEWS[2].address, "v3", 2)


def test_pods_of_another_namespace_are_not_bookinfos() -> None:
    assert endpoints(seen(service("reviews"), pod(REVIEWS[0].labels, namespace="other")), "reviews") == []


def test_a_service_without_a_stand_in_is_known_but_serves_nothing() -> None:
    snapshot = seen(service("shop"), pod({"app": "shop"}))
    assert endpoints(snapshot, "shop") == []
    assert registry.unserved(snapshot, PLAN) == ["default/shop"]


def test_a_service_without_pods_is_not_missed() -> None:
    assert registry.unserved(seen(service("shop")), PLAN) == []


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("http", "HTTP"), ("http-web", "HTTP"), ("http2", "HTTP2"), ("grpc-web", "GRPC-WEB"), ("web", "TCP")],
)
def test_a_ports_name_says_its_protocol(name: str, protocol: str) -> None:
    [entry] = registry.entries(seen(service("shop", ports=[{"name": name, "port": 1}])), PLAN)
    assert entry["spec"]["ports"][0]["protocol"] == protocol


def test_where_a_service_is_exported_to_is_kept() -> None:
    exported = service("shop", annotations={"networking.istio.io/exportTo": "."})
    [entry] = registry.entries(seen(exported), PLAN)
    assert entry["spec"]["exportTo"] == ["."]


# Listeners


def test_a_gateway_listens_on_its_node_ports_of_this_machine() -> None:
    [one] = capture.gateway_ports(seen(service(INGRESS.name, INGRESS.namespace, GATEWAY_PORTS)), PLAN)
    [patch] = one["spec"]["configPatches"]
    assert patch["match"]["listener"] == {"portNumber": 8080}
    value = patch["patch"]["value"]
    assert value["address"]["socket_address"]["address"] == PLAN.gateways[0].address
    node_port = value["additional_addresses"][0]["address"]["socket_address"]
    assert node_port == {"address": "127.0.0.1", "port_value": 31102}


def ports_for(server: dict[str, Any], selector: Any = INGRESS.labels) -> dict[str, int]:
    """The ports that open for a Gateway with one server."""
    gateway = custom("Gateway", {"selector": selector, "servers": [server]})
    return capture.open_ports(seen(service(INGRESS.name, INGRESS.namespace, GATEWAY_PORTS), gateway), PLAN)


@pytest.mark.parametrize(("number", "expected"), [(80, {"http2": 31102}), (8080, {"http2": 31102}), (443, {})])
def test_a_node_port_is_open_if_a_gateway_lets_visitors_in_there(number: int, expected: dict[str, int]) -> None:
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


def test_a_gateway_that_selects_nothing_is_for_every_gateway() -> None:
    assert ports_for({"port": {"number": 80, "protocol": "HTTP"}}, {}) == {"http2": 31102}


def sidecar(snapshot: Snapshot, name: str) -> dict[str, Any]:
    found = {one["metadata"]["name"]: one["spec"] for one in capture.sidecars(snapshot, PLAN)}
    spec: dict[str, Any] = found[f"live-{name}"]
    return spec


def test_a_sidecar_is_before_its_stand_in_and_behind_it() -> None:
    spec = sidecar(seen(service("reviews")), "reviews-v2")
    assert spec["workloadSelector"]["labels"] == {"app": "reviews", "version": "v2"}
    assert spec["ingress"][0]["bind"] == REVIEWS[1].address
    assert spec["egress"] == [{"bind": REVIEWS[1].outbound, "captureMode": "NONE", "hosts": ["*/*"]}]


def test_of_the_users_sidecars_the_one_that_selects_the_workload_counts_and_only_one() -> None:
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


def test_objects_go_to_pilot_as_they_are_but_for_what_the_api_server_adds() -> None:
    [one] = translate.objects(seen(custom("VirtualService", {"hosts": ["reviews"]})), PLAN)
    assert one["spec"] == {"hosts": ["reviews"]}
    assert one["metadata"] == {"name": "one", "namespace": "default"}


def test_mutual_tls_is_taken_out_wherever_it_is_asked_for_and_said() -> None:
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


def test_a_server_whose_secret_is_missing_is_left_out_and_said() -> None:
    both = custom("Gateway", {**SELECTOR, "servers": [PLAIN, SECURE]}, "both")
    snapshot = seen(both, custom("Gateway", {**SELECTOR, "servers": [SECURE]}, "secure"))
    [one] = translate.objects(snapshot, PLAN)
    assert one["spec"]["servers"] == [PLAIN]
    [names] = translate.left_out(snapshot, PLAN).values()
    assert names == ["Gateway default/both", "Gateway default/secure"]


@pytest.mark.parametrize("pair", [PAIR, {"cert": "Y2hhaW4=", "key": "a2V5"}])
def test_a_secret_goes_to_its_gateway_as_files(pair: dict[str, str], folder: Folder) -> None:
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
def test_a_secret_without_a_pair_is_as_good_as_none(secret: dict[str, str]) -> None:
    gateway = custom("Gateway", {**SELECTOR, "servers": [SECURE]})
    assert list(translate.objects(seen(gateway, secrets={("istio-system", "page"): secret}), PLAN)) == []


def policy(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return custom("AuthorizationPolicy", spec, name, namespace)


BY_CALLER: dict[str, Any] = {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/reviews"]}}]}]}
BY_CONDITION: dict[str, Any] = {"rules": [{"when": [{"key": "source.principal", "values": ["*"]}]}]}
BY_PATH: dict[str, Any] = {"rules": [{"to": [{"operation": {"paths": ["/admin"]}}]}]}


def test_policies_that_ask_nobody_who_he_is_hold() -> None:
    names = [
        one["metadata"]["name"] for one in translate.objects(seen(policy("deny-all"), policy("p", **BY_PATH)), PLAN)
    ]
    assert names == ["deny-all", "p"]


@pytest.mark.parametrize("asking", [BY_CALLER, BY_CONDITION])
def test_what_allows_is_left_out_as_a_whole_if_one_asks_who_calls(asking: dict[str, Any]) -> None:
    snapshot = seen(
        policy("deny-all"),
        policy("by-caller", **asking),
        policy("no-admin", action="DENY", **BY_PATH),
        policy("not-him", action="DENY", **asking),
    )
    assert [one["metadata"]["name"] for one in translate.objects(snapshot, PLAN)] == ["no-admin"]
    [names] = translate.left_out(snapshot, PLAN).values()
    assert [name.rpartition("/")[2] for name in names] == ["deny-all", "by-caller", "not-him"]


def test_what_allows_elsewhere_holds_but_not_what_is_for_the_whole_mesh() -> None:
    at_the_edge = {"selector": {"matchLabels": {"istio": "ingressgateway"}}, **BY_PATH}
    snapshot = seen(
        policy("by-caller", **BY_CALLER),
        policy("deny-all", "istio-system"),
        policy("edge", "istio-system", **at_the_edge),
        policy("other", "other", **BY_PATH),
    )
    assert [one["metadata"]["name"] for one in translate.objects(snapshot, PLAN)] == ["edge", "other"]


def test_one_for_the_whole_mesh_that_asks_who_calls_concerns_all() -> None:
    snapshot = seen(policy("by-caller", "istio-system", **BY_CALLER), policy("other", "other", **BY_PATH))
    assert list(translate.objects(snapshot, PLAN)) == []


def envoy_filter(*patches: dict[str, Any]) -> dict[str, Any]:
    return custom("EnvoyFilter", {"configPatches": list(patches)})


def patch(version: str = "", value: str = "envoy.filters.http.local_ratelimit") -> dict[str, Any]:
    return {"match": {"proxy": {"proxyVersion": version}}, "patch": {"value": {"name": value}}}


def test_filters_hold_for_the_release_that_is_installed() -> None:
    given = envoy_filter(patch("^1\\.9.*"), patch("^1\\.10.*"), patch())
    [one] = translate.objects(seen(given), PLAN)
    assert one["spec"]["configPatches"] == [patch("^1\\.10.*"), patch()]


@pytest.mark.parametrize("value", ["envoy.wasm.stats", "istio.metadata_exchange", "istio.stackdriver"])
def test_filters_of_istios_own_proxy_are_left_out_and_said(value: str) -> None:
    snapshot = seen(envoy_filter(patch(value=value)))
    assert list(translate.objects(snapshot, PLAN)) == []
    assert list(translate.left_out(snapshot, PLAN).values()) == [["EnvoyFilter default/one"]]


def test_a_global_limit_is_not_asked_for_and_said() -> None:
    limit = Limit(requests=1, scope="global")
    asking, rest = envoy.global_filter("GATEWAY", deny=True), [envoy.global_route("shop.0", "hosts.shop.0", limit)]
    local = envoy.local_filter("GATEWAY", limit)
    snapshot = seen(envoy_filter(local, asking, *rest))
    [one] = translate.objects(snapshot, PLAN)
    assert one["spec"]["configPatches"] == [local, *rest], "denied, for want of an answer, would be every request"
    [(reason, names)] = translate.left_out(snapshot, PLAN).items()
    assert reason.startswith("global limits: the rate-limit service")
    assert names == ["EnvoyFilter default/one"]


def test_a_filter_that_does_nothing_but_ask_for_global_limits_is_said_once() -> None:
    snapshot = seen(envoy_filter(envoy.global_filter("GATEWAY", deny=False)))
    assert list(translate.objects(snapshot, PLAN)) == []
    assert list(translate.left_out(snapshot, PLAN).values()) == [["EnvoyFilter default/one"]]


def test_a_local_limit_is_not_said_to_be_left_out() -> None:
    snapshot = seen(envoy_filter(envoy.local_filter("GATEWAY", Limit(requests=1))))
    assert translate.left_out(snapshot, PLAN) == {}


def test_of_the_meshs_configuration_what_is_about_traffic_holds() -> None:
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


def test_files_change_only_with_the_cluster(folder: Folder) -> None:
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


def test_a_command_line_changes_with_what_its_process_reads(folder: Folder) -> None:
    before = commands_of(PLAN, folder)
    assert commands_of(PLAN, folder) == before
    other = DeclaredGateway(INGRESS.name, INGRESS.namespace, {**INGRESS.labels, "more": "yes"})
    after = commands_of(replace(PLAN, edges=(other,)), folder)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"live-proxy-istio-ingressgateway", "live-sync", "live-stand-ins"}


def test_files_of_processes_that_were_are_removed(folder: Folder) -> None:
    wanted = {Path(word) for command in commands_of(PLAN, folder).values() for word in command}
    old = folder.plan("0123")
    for file in (old, folder.notes, folder.switches):
        file.write_text("{}")
    folder.tidy(wanted)
    assert not old.exists()
    assert folder.notes.exists()
    assert folder.switches.exists()
    assert len(list(folder.root.glob("*-*.json"))) == 1 + len(PLAN.proxies)


def test_each_envoy_says_who_it_is() -> None:
    [gateway, *_, ratings] = PLAN.proxies
    node = proxies.bootstrap(PLAN, gateway)["node"]
    assert node["id"] == f"router~{gateway.address}~istio-ingressgateway.istio-system~istio-system.svc.cluster.local"
    node = proxies.bootstrap(PLAN, ratings)["node"]
    assert node["id"] == f"sidecar~{ratings.address}~ratings-v1.default~default.svc.cluster.local"
    assert node["metadata"]["LABELS"] == {"app": "ratings", "version": "v1"}


def test_a_metric_of_an_envoy_names_whom_it_has_called_with_all_dots() -> None:
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


def test_prometheus_is_told_of_pilot_and_every_proxy(folder: Folder) -> None:
    commands_of(PLAN, folder)
    jobs = json.loads(folder.scraping.read_text())["scrape_configs"]
    targets = {where for job in jobs for one in job["static_configs"] for where in one["targets"]}
    assert targets == {f"{PLAN.pilot}:15014", *(f"{proxy.address}:15000" for proxy in PLAN.proxies)}
    [ratings] = [one["labels"] for one in jobs[1]["static_configs"] if one["labels"]["pod"] == "ratings-v1"]
    assert ratings == {"app": "ratings", "version": "v1", "namespace": "default", "pod": "ratings-v1"}


def test_what_pilot_refuses_is_read_from_its_log_until_it_takes_it(folder: Folder) -> None:
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
def test_a_stack_is_live_on_the_embedded_cluster_if_it_has_bookinfo_and_a_way_in(
    more: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIVE", raising=False)
    assert live.should_run(chosen(**more)) is expected


def test_the_live_part_can_be_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE", "0")
    assert not live.should_run(chosen())


def test_a_plan_has_the_names_of_the_stacks_mesh() -> None:
    fields = live._fields("dev", chosen())
    plan = Plan(service_range="127.77.0.0/16", **fields)
    assert (plan.root, plan.mesh_config, plan.domain) == ("istio-system", "istio", "cluster.local")
    assert re.match(r"1\.10", plan.version)
    assert [edge.name for edge in plan.edges] == ["istio-ingressgateway", "istio-egressgateway"]
