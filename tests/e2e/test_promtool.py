"""Prometheus' configuration, its rules, and the queries of all dashboards, checked by promtool."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mesh import releases
from mesh.releases import prometheus
from mesh.releases.dashboards import Dashboard
from toolchain.checkers import PROMETHEUS, checkers

DASHBOARDS = [
    pytest.param(dashboard, id=f"{name} {dashboard.title}")
    for name in releases.NAMES
    for folder in releases.get(name).addons.grafana.dashboards.folders.values()
    for dashboard in folder.values()
]
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(checkers(PROMETHEUS) / "promtool"), "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(params=releases.NAMES)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A release's files of Prometheus as they would stand in its container, but below a folder of the test."""
    for name, text in releases.get(request.param).addons.prometheus.config.files().items():
        moved = text.replace(prometheus.FOLDER, str(tmp_path)).replace(ACCOUNT, str(tmp_path))
        (tmp_path / name).write_text(moved)
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text("anything")
    return tmp_path


def questions(dashboard: Dashboard) -> Iterator[str]:
    """The PromQL queries of a dashboard's panels and variables."""
    yield from (query.expr for _, panel in dashboard.panels for query in panel.queries)
    for variable in dashboard.variables:
        if found := re.fullmatch(r"query_result\((.*)\)|label_values\((.+), \w+\)", variable.query):
            yield found[1] or found[2]


def rules(folder: Path, expressions: list[str]) -> str:
    """Writes a file with one rule for each expression."""
    recorded = [{"record": f"asked:{place}", "expr": text} for place, text in enumerate(expressions)]
    file = folder / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": recorded}]}))
    return str(file)


def test_promtool_accepts_the_configuration_and_its_rules(folder: Path) -> None:
    done = promtool("config", str(folder / prometheus.FILE))
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


def test_promtool_finds_an_error_in_the_configuration(folder: Path) -> None:
    file = folder / prometheus.FILE
    file.write_text(file.read_text().replace("role: endpoints", "role: endpiont"))
    assert promtool("config", str(file)).returncode != 0


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_promtool_accepts_every_query_of_a_dashboard(dashboard: Dashboard, tmp_path: Path) -> None:
    asked = [text.replace("$__rate_interval", "1m") for text in dict.fromkeys(questions(dashboard))]
    done = promtool("rules", rules(tmp_path, asked))
    assert done.returncode == 0, done.stderr
    assert f"{len(asked)} rules found" in done.stdout


def test_promtool_finds_an_error_in_a_query(tmp_path: Path) -> None:
    assert promtool("rules", rules(tmp_path, ["sum(rate(up[1m])) by"])).returncode != 0
