"""The files and command lines of the live data plane's processes, and the stacks that get one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from commands import live
from mesh.apps.app import App
from mesh.config import loading, settings
from sandbox.live import pilot, proxies, sync
from sandbox.live.folder import Folder
from sandbox.live.plan import DeclaredGateway, Plan
from sandbox.live.programs import Binaries, programs
from tests.sandbox.snapshots import INGRESS, PLAN, REVIEWS, pod, seen, service


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
    return {program.name: program.command for program in programs(seen(), plan, folder, built)}


def test_a_command_line_changes_with_the_files_that_its_process_reads(folder: Folder) -> None:
    before = commands_of(PLAN, folder)
    assert commands_of(PLAN, folder) == before
    other = DeclaredGateway(INGRESS.name, INGRESS.namespace, {**INGRESS.labels, "more": "yes"})
    after = commands_of(replace(PLAN, edges=(other,)), folder)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"live-proxy-istio-ingressgateway", "live-sync", "live-stand-ins"}


def test_files_of_former_processes_are_deleted(folder: Folder) -> None:
    wanted = commands_of(PLAN, folder).values()
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


def test_a_proxy_finds_a_pilot_that_was_away_within_a_second() -> None:
    [service] = proxies.bootstrap(PLAN, PLAN.proxies[0])["dynamic_resources"]["ads_config"]["grpc_services"]
    assert service["envoy_grpc"]["retry_policy"]["retry_back_off"]["max_interval"] == "1s"


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
def test_a_stack_is_live_on_the_embedded_cluster_if_it_has_services_and_an_ingress_gateway(
    more: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIVE", raising=False)
    assert live.should_run(chosen(**more)) is expected


def test_apps_are_live_without_bookinfo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVE", raising=False)
    apps = {"shop": App(manifests=["apps"])}
    assert live.should_run(chosen(**{"mesh:bookinfo": ""}).model_copy(update={"apps": apps}))


def test_live_0_turns_the_live_data_plane_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE", "0")
    assert not live.should_run(chosen())


def test_a_plan_has_the_namespaces_of_istio_and_of_its_configuration() -> None:
    apart = {"mesh:meshConfig": '{"rootNamespace": "conf"}', "mesh:namespaces": '{"conf": "existing"}'}
    fields = live._fields("dev", chosen(**{"mesh:global": '{"istioNamespace": "mesh-root"}', **apart}))
    assert (fields["root"], fields["config_root"]) == ("mesh-root", "conf")
    assert {edge.namespace for edge in fields["edges"]} == {"mesh-root"}


def test_a_plan_has_the_names_of_the_stacks_mesh() -> None:
    fields = live._fields("dev", chosen())
    plan = Plan(service_range="127.77.0.0/16", **fields).serving([], {})
    assert (plan.root, plan.mesh_config, plan.domain) == ("istio-system", "istio", "cluster.local")
    assert plan.config_root == "istio-system"
    assert re.match(r"1\.10", plan.version)
    assert [edge.name for edge in plan.edges] == ["istio-ingressgateway", "istio-egressgateway"]
