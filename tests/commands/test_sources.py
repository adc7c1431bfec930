"""`make report`: which objects are compared."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from commands import render, sources, stacks
from commands.stackfiles import CommandError
from mesh.review.changes import StackObject
from tests.commands.test_preview_events import event, state

METADATA = {"name": "a", "namespace": "shop"}
OLD, DRIFTED, NEW = (
    state("a", apiVersion="v1", metadata=METADATA, spec={"type": kind})
    for kind in ("ClusterIP", "NodePort", "LoadBalancer")
)
for one in (OLD, DRIFTED, NEW):
    one["inputs"]["kind"] = "Service"
REFRESHED = [event("refresh", OLD, OLD), event("refresh", OLD, DRIFTED, outcome=True), event("update", DRIFTED, NEW)]
FAILED = {"diagnosticEvent": {"severity": "error", "message": "conflict with kubectl."}}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository without a base branch."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    for command in (["init", "--quiet", "--initial-branch=other"], ["commit", "--quiet", "--allow-empty", "-m", "x"]):
        who = ("-c", "user.name=tester", "-c", "user.email=tester@example.invalid")
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True, timeout=30)
    return tmp_path


def answering(monkeypatch: pytest.MonkeyPatch, live: Sequence[Any], recorded: Sequence[Any], why: str = "") -> None:
    """Makes previews return these events, with and without a refresh; previews with an error event fail."""

    class PulumiCli:
        def __init__(self, stack: str) -> None:
            assert stack == "dev"

        def events(self, *flags: str) -> tuple[int, Sequence[Mapping[str, Any]]]:
            found = live if "--refresh" in flags else recorded
            return int(FAILED in found), found

    monkeypatch.setattr(sources, "PulumiCli", PulumiCli)
    monkeypatch.setattr(sources, "_has_state", lambda _: True)
    monkeypatch.setattr(sources, "_unreachable", lambda _: why)


def types(items: Sequence[StackObject]) -> list[str]:
    return [one.object.spec["type"] for one in items]


def test_a_report_compares_with_the_cluster_and_shows_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, REFRESHED, [])
    found = sources.choose("dev", "", stacks.load("dev"))
    assert (found.source.kind, types(found.old), types(found.new)) == ("cluster", ["NodePort"], ["LoadBalancer"])
    assert [(one.path, one.old, one.new) for one in found.drift[0].fields] == [("spec.type", "ClusterIP", "NodePort")]


def test_a_report_compares_with_the_recorded_state_if_the_cluster_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, [], [event("update", OLD, NEW)], why="the cluster does not answer")
    found = sources.choose("dev", "", stacks.load("dev"))
    assert found.source.text == "Compared with the recorded state; the cluster does not answer."
    assert (types(found.old), list(found.drift)) == (["ClusterIP"], [])


def test_a_report_compares_with_the_recorded_state_if_the_cluster_rejects_the_change_and_still_shows_drift(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, [*REFRESHED, FAILED], [event("update", OLD, NEW)])
    found = sources.choose("dev", "", stacks.load("dev"))
    assert found.source.kind == "recorded state"
    assert "a preview against the cluster fails: conflict with kubectl." in found.source.text
    assert (types(found.old), len(found.drift)) == (["ClusterIP"], 1)


def test_a_preview_that_fails_without_a_cluster_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [FAILED], [FAILED])
    with pytest.raises(CommandError, match=r"^conflict with kubectl$"):
        sources.choose("dev", "", stacks.load("dev"))


@pytest.mark.usefixtures("repository")
def test_a_report_without_state_and_base_branch_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_has_state", lambda _: False)
    with pytest.raises(
        CommandError, match=r"neither branch origin/main nor main .*: name one with BASE=…, or fetch it"
    ):
        sources.choose("dev", "", stacks.load("dev"))
    with pytest.raises(CommandError, match="BASE: git does not know nowhere; fetch it"):
        sources.choose("dev", "nowhere", stacks.load("dev"))


def test_a_report_without_git_and_state_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    with pytest.raises(CommandError, match="BASE: git does not know main"):
        sources.choose("dev", "main", stacks.load("dev"))


def test_a_stack_that_the_base_lacks_is_entirely_new(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert repository
    monkeypatch.setattr(render, "record", lambda *_, **__: [])
    found = sources.choose("dev", "other", stacks.load("dev"))
    assert (found.source.kind, list(found.old)) == ("base branch", [])
    assert "has no stack dev: everything is new." in found.source.text
