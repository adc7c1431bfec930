"""`make dashboard`, with a small script in place of kubectl."""

from __future__ import annotations

import os
import webbrowser
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster import proxy
from cluster.target import Target
from commands import dashboard, stacks
from commands.stackfiles import CommandError
from tests.fake_api import FakeApi, listing
from tests.mesh.config.test_loading import load

FORWARDING = "Forwarding from 127.0.0.1:40123 -> 3000"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were opened in the browser. The cluster has Grafana, and a Kiali that is not ready."""
    chosen = load(addons=["prometheus", "grafana", "kiali"], context="mine")
    states = {"grafana": {"readyReplicas": 1}, "kiali": {}}
    found = [{"metadata": {"name": name}, "status": status} for name, status in states.items()]
    program = tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/arguments\necho "{FORWARDING}"\necho "{FORWARDING[:10]}"\n')
    program.chmod(0o755)
    addresses: list[str] = []
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(stacks, "load", lambda _: SimpleNamespace(settings=chosen))
    api = FakeApi({"GET /apis/apps/v1/namespaces/istio-system/deployments": listing(*found)})
    monkeypatch.setattr(Target, "named", lambda context: Target(context, "https://here"))
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(api))
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


def test_the_address_is_printed_and_opened(
    opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dashboard.run("demo", "grafana") == 0
    assert opened == ["http://127.0.0.1:40123"]
    assert "http://127.0.0.1:40123" in capsys.readouterr().out
    forwarded = "--context mine --namespace istio-system port-forward service/grafana :3000"
    assert (tmp_path / "arguments").read_text().strip() == forwarded


def test_no_browser_is_opened_without_a_display(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    dashboard.run("demo", "grafana")
    assert opened == []


@pytest.mark.usefixtures("opened")
def test_the_command_that_reads_the_password_is_printed_and_not_the_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dashboard.run("demo", "grafana")
    said = capsys.readouterr().out
    assert "kubectl --context mine --namespace istio-system get secret grafana" in said
    assert "{.data.admin-password}" in said


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("grafna", 'NAME: "grafna" is not one of prometheus, grafana, kiali; did you mean "grafana"?'),
        ("", 'NAME: "" is not one of prometheus, grafana, kiali'),
        ("prometheus", "prometheus is not on the cluster: `make up STACK=demo` installs it"),
        ("kiali", "no pod of kiali is ready"),
    ],
)
def test_an_unknown_or_unready_addon_is_refused_at_once(name: str, problem: str) -> None:
    with pytest.raises(CommandError) as refused:
        dashboard.run("demo", name)
    assert str(refused.value).startswith(problem)


@pytest.mark.usefixtures("opened")
def test_an_embedded_cluster_is_refused_since_its_pods_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "named", lambda _: Target("mesh-dev", "https://here"))
    with pytest.raises(CommandError, match="pods of an embedded cluster are simulated"):
        dashboard.run("dev", "grafana")


def test_an_addon_without_pages_is_refused_with_the_one_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(release="1.30", addons=["prometheus", "loki", "grafana"])
    monkeypatch.setattr(stacks, "load", lambda _: SimpleNamespace(settings=chosen))
    with pytest.raises(CommandError, match="loki has no web pages: show its data with NAME=grafana"):
        dashboard.run("demo", "loki")


def test_a_stack_without_addons_is_refused_with_the_config_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "load", lambda _: SimpleNamespace(settings=load()))
    with pytest.raises(CommandError, match="stack demo has no addons"):
        dashboard.run("demo", "grafana")
