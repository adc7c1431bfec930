"""The cluster of a kubeconfig context."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster import kubectl
from cluster.errors import ClusterError
from cluster.target import EMBEDDED, OFFLINE, Target

CONFIG = {
    "contexts": [{"name": "mine", "context": {"cluster": "a"}}, {"name": "mesh-dev", "context": {"cluster": "b"}}],
    "clusters": [{"name": "a", "cluster": {"server": "https://a"}}, {"name": "b", "cluster": {"server": "https://b"}}],
}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """The kubeconfig files that kubectl was asked to read; None is the user's own."""
    found: list[Path | None] = []

    def output(kubeconfig: Path | None, *_: str) -> str:
        found.append(kubeconfig)
        return json.dumps(CONFIG)

    monkeypatch.delenv(OFFLINE, raising=False)
    monkeypatch.delenv(EMBEDDED, raising=False)
    monkeypatch.setattr(kubectl, "output", output)
    return found


def embedded(monkeypatch: pytest.MonkeyPatch, file: Path, context: str = "mesh-dev") -> None:
    monkeypatch.setenv(EMBEDDED, json.dumps({context: str(file)}))


def test_a_context_is_looked_up_in_the_users_kubeconfig(asked: list[Path | None]) -> None:
    assert Target.named("mine") == Target("mine", "https://a")
    assert asked == [None]


@pytest.mark.parametrize("context", ["mesh-dev", "another"])
def test_an_embedded_cluster_has_a_kubeconfig_of_its_own(
    context: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: list[Path | None]
) -> None:
    file = tmp_path / "kubeconfig"
    embedded(monkeypatch, file, context)
    assert Target.named(context) == Target(context, "not started", file)
    assert asked == []
    file.touch()
    if context == "mesh-dev":
        assert Target.named(context) == Target(context, "https://b", file)
        assert asked == [file]


def test_the_kubeconfig_is_known_even_if_mesh_offline_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: list[Path | None]
) -> None:
    embedded(monkeypatch, tmp_path / "kubeconfig")
    monkeypatch.setenv(OFFLINE, "1")
    assert Target.named("mesh-dev") == Target("mesh-dev", "not asked", tmp_path / "kubeconfig")
    assert Target.named("mine") == Target("mine", "not asked")
    assert asked == []


@pytest.mark.parametrize("given", ["{", "[]", '{"mesh-dev": 1}', "mesh-dev"])
def test_a_malformed_environment_variable_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(EMBEDDED, given)
    with pytest.raises(ClusterError, match=r"MESH_EMBEDDED: expected a JSON object .*make -s env"):
        Target.named("mesh-dev")


@pytest.mark.parametrize("offline", ["", "1"])
def test_an_embedded_cluster_without_its_environment_variable_is_refused_with_advice(
    offline: str, monkeypatch: pytest.MonkeyPatch, asked: list[Path | None]
) -> None:
    monkeypatch.setenv(OFFLINE, offline)
    with pytest.raises(ClusterError, match=r'mesh-dev is an embedded cluster, .*eval "\$\(make -s env\)"'):
        Target.named("mesh-dev")
    assert asked == []


@pytest.mark.parametrize(
    ("context", "said"),
    [(None, "no cluster is named: .*kubeconfig: mine, mesh-dev"), ("mime", '"mime" is not one .*did you mean "mine"')],
)
def test_an_unknown_context_is_refused_with_the_known_ones(context: str | None, said: str) -> None:
    with pytest.raises(ClusterError, match=said):
        Target.named(context)
