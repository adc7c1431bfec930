"""`make upgrade`: what it prints and writes, with the engine and the state replaced."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cluster.state import StackState
from cluster.target import OFFLINE
from commands import __main__ as commands
from commands import pulumi_cli, stackfiles, upgrade
from commands.stackfiles import CommandError
from commands.upgrade import Asked
from mesh.config import loading, stack_file
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack
from mesh.upgrade.target import UpgradeError

pytestmark = pytest.mark.slow

FILE = """\
# Ours.
config:
  mesh:profile: minimal # small
  mesh:injectedNamespaces: { shop: create, bank: create }
"""
ASKED = Asked(to="1.30")
INSTALLED = {"urn:pulumi:dev::mesh::kubernetes:core/v1:Namespace::istio-system": dict[str, Any]()}


def event(kind: str, op: str = "update", name: str = "istiod") -> dict[str, Any]:
    return {"resourcePreEvent": {"metadata": {"op": op, "type": kind, "urn": f"urn:pulumi:dev::mesh::{kind}::{name}"}}}


class Scene:
    """A stack `dev` with a file of its own, its state, and what the engine says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "stacks" / "Pulumi.dev.yaml"
        self.file.parent.mkdir()
        self.file.write_text(FILE)
        self.resources: dict[str, Any] | None = INSTALLED
        self.events: list[dict[str, Any]] = []
        self.code = 0
        self.previewed: list[tuple[dict[str, Any], Sequence[str]]] = []
        scene = self

        class PulumiCli:
            def __init__(self, stack: str, proposed: dict[str, Any] | None = None) -> None:
                assert stack == "dev"
                self.file, self._proposed = folder / "copy.yaml", proposed
                self.file.touch()

            def events(self) -> tuple[int, list[dict[str, Any]]]:
                assert self._proposed is None, "of the file as it is"
                return scene.code, scene.events

            def run(self, command: str, *flags: str) -> int:
                assert (command, self._proposed is None) == ("preview", False)
                scene.previewed.append((dict(self._proposed or {}), flags))
                return scene.code

        monkeypatch.setattr(upgrade, "PulumiCli", PulumiCli)
        monkeypatch.setattr(pulumi_cli, "recorded_state", lambda _: scene.state)
        monkeypatch.setattr(stackfiles, "_FOLDER", self.file.parent)
        monkeypatch.setenv("MESH_HOME", str(folder / "home"))
        monkeypatch.setenv("CONTEXT", "mine")
        monkeypatch.setenv(OFFLINE, "1")

    @property
    def state(self) -> StackState | None:
        return None if self.resources is None else StackState.of(self.resources)

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = stack_file.parse(self.file.read_text(), "x")["config"]
        return found


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def flat(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, with one space for each line break."""
    return " ".join(capsys.readouterr().out.split())


def test_the_road_and_its_next_step_are_shown_and_nothing_is_written(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert upgrade.run("dev", Asked(to="1.30", flags=["--diff"])) == 0
    text = capsys.readouterr().out
    assert text.startswith(
        "stack dev: Istio 1.10 to 1.30, revision 1-30-3\n  [x] 1 check: nothing is written\n  [>] 2 "
    )
    assert '\n   mesh:profile: minimal # small\n+  mesh:base: { release: "1.30" }\n' in text
    assert "1.10 to 1.30 is 20" in text
    assert "back: not possible" in text
    assert "to take the step: make upgrade CONTEXT=mine TO=1.30 APPLY=1" in text
    assert scene.file.read_text() == FILE
    ((content, flags),) = scene.previewed
    assert content["config"]["mesh:base"] == {"release": "1.30"}
    assert flags == ("--diff",)


def test_a_step_says_what_it_moves_how_long_and_the_way_back(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.file.write_text(
        f"{FILE}  mesh:controlPlanes: {{ new: {{ release: '1.30' }} }}\n  mesh:apps:\n"
        "    shop: { namespace: shop, manifests: [examples/shop/manifests/cart.yaml] }\n"
    )
    assert upgrade.run("dev", Asked(to="1.30", namespace="shop")) == 0
    text = flat(capsys)
    assert "next step: canary namespace" in text
    assert "moves namespace shop from default (1.10.3) to new (1.30.3)" in text
    assert "the new pods of 2 workloads need to get ready" in text
    assert "medium: restarts pods: Deployment shop/cart-v1" in text
    assert "back: these lines, then `make up` - mesh:injectedNamespaces: { shop: { ownership: create" in text


def test_the_check_is_said_until_something_moves(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    said = "The cluster was not checked: MESH_OFFLINE is set"
    new = f"{FILE}  mesh:controlPlanes: {{ new: {{ release: '1.30' }} }}\n"
    moved = new.replace("shop: create", "shop: { ownership: create, revision: new }")
    for file, expected in ((FILE, True), (new, True), (moved, False)):
        scene.file.write_text(file)
        assert upgrade.run("dev", Asked(to="1.30", apply=True)) == 0
        text = flat(capsys)
        assert (said in text) is expected
        assert ("1.10 to 1.30 is 20" in text) is expected


def test_apply_writes_the_step_into_the_file_and_says_what_comes_next(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert upgrade.run("dev", Asked(to="1.30", apply=True)) == 0
    assert scene.config["mesh:base"] == {"release": "1.30"}
    assert scene.file.read_text().startswith("# Ours.\nconfig:\n  mesh:profile: minimal # small\n")
    assert "written; next: make up CONTEXT=mine, then make upgrade again" in capsys.readouterr().out
    assert not scene.previewed


@pytest.mark.parametrize("apply", [False, True])
def test_what_has_not_landed_comes_first(scene: Scene, apply: bool, capsys: pytest.CaptureFixture[str]) -> None:
    scene.events = [
        event("kubernetes:apps/v1:Deployment"),
        event("kubernetes:core/v1:Service", "same"),
        event("pulumi:pulumi:Stack"),
    ]
    assert upgrade.run("dev", Asked(to="1.30", apply=apply)) == int(apply)
    text = flat(capsys)
    assert "The stack's file is ahead of the last update: 1 change (istiod)" in text
    assert "make up CONTEXT=mine" in text
    assert "next step:" not in text
    assert scene.file.read_text() == FILE


def test_a_stack_that_is_not_installed_needs_no_road(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.resources = {}
    assert upgrade.run("dev", ASKED) == 0
    assert 'there is nothing to upgrade: set mesh:release to "1.30", then make up' in flat(capsys)


def test_a_state_that_cannot_be_read_is_an_error(scene: Scene) -> None:
    scene.resources = None
    with pytest.raises(CommandError, match=r"cannot be read: .pulumi stack export --stack dev. says why"):
        upgrade.run("dev", ASKED)


def test_a_file_whose_preview_fails_is_an_error_with_the_engines_words(scene: Scene) -> None:
    scene.code, scene.events = 1, [{"diagnosticEvent": {"severity": "error", "message": "conflict with kubectl."}}]
    with pytest.raises(CommandError, match=r"cannot be previewed as it is, so there is no next step yet: conflict"):
        upgrade.run("dev", ASKED)


def test_a_step_with_which_the_file_would_be_invalid_is_not_written(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = loading.load

    def refusing(config: Mapping[str, str], context: str | None) -> Stack:
        if "mesh:base" in config:
            raise SettingsError("mesh:traffic.hosts.a: Istio 1.30 refuses it")
        return load(config, context)

    monkeypatch.setattr(loading, "load", refusing)
    with pytest.raises(
        CommandError, match=r"step definitions cannot be taken yet, .*:\nmesh:traffic.hosts.a: Istio 1.30"
    ):
        upgrade.run("dev", Asked(to="1.30", apply=True))
    assert scene.file.read_text() == FILE


def test_the_end_of_the_road_is_said_and_how_to_go_to_other_settings(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.file.write_text('config: { mesh:release: "1.30", mesh:revision: 1-30-3, mesh:profile: minimal }\n')
    assert upgrade.run("dev", ASKED) == 0
    text = flat(capsys)
    assert "nothing left to upgrade: 1-30-3 is the stack's main control plane." in text
    assert "with other settings: make upgrade CONTEXT=mine TO=1.30 REVISION=<its name>" in text


def test_a_preview_that_fails_fails_the_command(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "_waiting", lambda *_: "")
    scene.code = 255
    assert upgrade.run("dev", ASKED) == 255


def test_the_makefile_passes_on_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []
    monkeypatch.setattr(commands, "environment", dict)

    def run(_: str, one: Asked) -> int:
        asked.append(one)
        return 0

    monkeypatch.setattr(upgrade, "run", run)
    for name, value in (("TO", "1.30"), ("REVISION", "b"), ("NAMESPACE", "shop"), ("APPLY", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["commands", "upgrade", "dev", "--diff"])
    assert commands.main() == 0
    assert asked == [Asked(to="1.30", revision="b", namespace="shop", apply=True, flags=["--diff"])]


@pytest.mark.usefixtures("scene")
def test_without_a_target_the_releases_are_listed() -> None:
    with pytest.raises(UpgradeError, match=r"TO is missing: .* there are 1\.10, 1\.30"):
        upgrade.run("dev", Asked(to=""))
