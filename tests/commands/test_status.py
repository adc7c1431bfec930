"""`make status` without a mesh of this project, or without an answer of the cluster."""

from dataclasses import replace

import pytest

from cluster import survey
from cluster.errors import ClusterError, Unreachable
from cluster.survey import Definition, Survey
from cluster.target import Target
from commands import stackfiles, status, status_control_planes
from mesh.core import names
from tests.fake_api import SURVEY, TARGET

EMBEDDED = Target("mesh-dev", "https://here")
HELM = "injection webhook istio-sidecar-injector, installed by Helm as release mesh"
DEFINED = "gateways.networking.istio.io"


def said(found: Survey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: str = "dev") -> str:
    """The output for a cluster without a mesh of this project."""
    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(Target, "named", lambda _: found.target)
    monkeypatch.setattr(survey, "take", lambda _: found)
    assert status.show(stack) == 1
    return capsys.readouterr().out.partition("\n")[2]


def test_an_empty_cluster_is_shown_with_the_command_that_installs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(SURVEY, monkeypatch, capsys) == "mesh      none; `make up STACK=dev` installs it\n"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (replace(SURVEY, istio=HELM), HELM),
        (replace(SURVEY, definitions={DEFINED: Definition({})}), f"{DEFINED} is defined"),
    ],
)
def test_another_istio_is_shown_with_the_commands_that_compare_and_take_over(
    found: Survey, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(found, monkeypatch, capsys)
    assert f"an Istio of others: {words}\n" in text
    assert "`make parity STACK=dev`" in text
    assert "`make adopt STACK=dev`" in text
    assert "make up" not in text, "which is refused"


def test_kept_definitions_of_this_project_are_not_another_istio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = replace(SURVEY, definitions={DEFINED: Definition({names.OWNER_PROJECT: "mesh", names.OWNER_STACK: "dev"})})
    assert "`make up STACK=dev` installs it" in said(left, monkeypatch, capsys)


def test_a_further_revision_is_not_told_to_take_over_another_istio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = {**stackfiles.config("dev"), "mesh:revision": "canary", "mesh:base": '{"enabled": false}'}
    monkeypatch.setattr(stackfiles, "config", lambda _: guest)
    text = said(replace(SURVEY, istio=HELM), monkeypatch, capsys)
    assert text == "mesh      none; `make up STACK=dev` installs it\n"


@pytest.mark.parametrize(
    ("target", "words"),
    [(EMBEDDED, "connection refused; `make sandbox` starts it"), (TARGET, "connection refused")],
)
def test_only_for_the_embedded_cluster_make_sandbox_is_suggested(
    target: Target, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Target) -> Survey:
        raise Unreachable("connection refused")

    monkeypatch.delenv("CONTEXT", raising=False)
    monkeypatch.setattr(Target, "named", lambda _: target)
    monkeypatch.setattr(survey, "take", take)
    with pytest.raises(ClusterError) as error:
        status.show("dev")
    assert str(error.value) == words


def test_make_sandbox_is_not_suggested_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_OFFLINE", "1")
    assert status.hint("dev", EMBEDDED) == ""


@pytest.mark.parametrize(
    ("field", "how", "image"),
    [
        ("containers", {}, "proxyv2"),
        ("initContainers", {"restartPolicy": "Always"}, "proxyv2"),
        ("initContainers", {}, None),
    ],
    ids=["a container", "a native sidecar", "an init container that ends"],
)
def test_a_sidecar_is_a_running_container(field: str, how: dict[str, str], image: str | None) -> None:
    pod = {"spec": {"containers": [], field: [{"name": "istio-proxy", "image": "proxyv2", **how}]}}
    assert status_control_planes.proxy(pod) == image
