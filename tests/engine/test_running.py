"""The end of the program: an update that takes the control plane from running sidecars ends it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from cluster import proxy
from cluster.state import StackState
from cluster.target import FORCE
from engine import program
from engine.manifests import CreatedObjects
from mesh.analysis.objects import Object
from tests.cluster.test_orphans import PODS, control_plane, pod
from tests.fake_api import TARGET, FakeApi, denied, listing

KEY = "urn:pulumi:dev::mesh::mesh:istio:Istiod$kubernetes:core/v1:Service::istiod"
STATE = StackState.of({KEY: control_plane()})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged: errors, which end the program, and warnings."""
    lines: list[str] = []
    monkeypatch.delenv(FORCE, raising=False)
    monkeypatch.setattr(program, "_end", lambda text: lines.append(f"error: {text}"))
    monkeypatch.setattr(pulumi.log, "warn", lambda text: lines.append(f"warning: {text}"))
    return lines


def check(monkeypatch: pytest.MonkeyPatch, api: FakeApi, name: str = "istiod-canary", target: Any = TARGET) -> None:
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(api))
    created = CreatedObjects()
    created.objects.append(Object.read(control_plane(name)))
    program.check_running(SimpleNamespace(target=target, created=created), STATE)  # type: ignore[arg-type]


ASKING = FakeApi({PODS: listing(pod("cart", "shop"))})


def test_the_program_ends_with_the_pods_and_the_way_out(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    check(monkeypatch, ASKING)
    (text,) = said
    assert text.startswith("error: here: 1 pod would keep a sidecar without a control plane")
    assert text.endswith("`make up FORCE=1` goes on all the same")


def test_with_force_it_is_a_warning(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setenv(FORCE, "1")
    check(monkeypatch, ASKING)
    (text,) = said
    assert text.startswith("warning: FORCE=1: going on, although 1 pod would keep a sidecar")


def test_pods_that_may_not_be_listed_end_the_program(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    check(monkeypatch, FakeApi({PODS: denied("pods")}))
    (text,) = said
    assert "whether pods still need it cannot be found out: the cluster refuses: pods is forbidden" in text


def test_a_cluster_is_asked_only_if_a_control_plane_goes(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    api = FakeApi()
    check(monkeypatch, api, name="istiod")
    check(monkeypatch, api, target=None)  # a preview without a cluster
    assert (said, api.asked) == ([], [])
