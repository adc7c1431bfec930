"""Objects that istiod created and that `make down` reports or deletes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest

from cluster import proxy, survey
from cluster.client import Answer, Request
from commands import residue
from tests.fake_api import SURVEY, TARGET, denied, status

ROOTS = "/api/v1/configmaps?fieldSelector=metadata.name%3Distio-ca-root-cert"
LEFT = "/api/v1/namespaces/shop/configmaps/istio-ca-root-cert"


class Cluster:
    """A cluster with one leftover root certificate, in the namespace shop."""

    def __init__(self, refusal: Answer | None = None) -> None:
        self.deleted: list[str] = []
        self._refusal = refusal

    def ask(self, request: Request) -> Answer:
        if request.method == "DELETE":
            self.deleted.append(request.path)
            return self._refusal or Answer(200)
        found = [{"metadata": {"namespace": "shop"}}] if request.path == ROOTS else []
        return Answer(200, {"items": found})


def reported(cluster: object, monkeypatch: pytest.MonkeyPatch, purge: bool = False, istio: str | None = None) -> None:
    monkeypatch.setattr(survey, "take", lambda _: replace(SURVEY, istio=istio))
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(cluster))
    residue.report(TARGET, purge=purge)


def test_leftover_objects_are_listed_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster()
    reported(cluster, monkeypatch)
    assert cluster.deleted == []
    assert capsys.readouterr().out == (
        "left by Istio: configmap shop/istio-ca-root-cert\n`make down PURGE=1` removes them\n"
    )


@pytest.mark.parametrize("answer", [None, status(404, "not found")], ids=["there", "gone meanwhile"])
def test_a_purge_deletes_leftover_objects(
    answer: Answer | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(answer)
    reported(cluster, monkeypatch, purge=True)
    assert cluster.deleted == [LEFT]
    assert capsys.readouterr().out == "removed: configmap shop/istio-ca-root-cert\n"


def test_leftover_objects_that_another_control_plane_uses_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster()
    reported(cluster, monkeypatch, purge=True, istio="injection webhook x")
    assert cluster.deleted == []
    assert (
        "objects that istiod has left are kept because another Istio uses them: injection webhook x"
        in capsys.readouterr().out
    )


def test_a_denied_list_of_leftover_objects_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Closed:
        def ask(self, _: Request) -> Answer:
            return denied("configmaps")

    reported(Closed(), monkeypatch, purge=True)
    printed = capsys.readouterr().out
    assert "objects that istiod has left cannot be listed: the cluster refuses: configmaps is" in printed


def test_what_another_istio_left_is_reported_with_the_command_that_removes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Left(Cluster):
        def ask(self, request: Request) -> Answer:
            if request.path.endswith("/validatingwebhookconfigurations"):
                return Answer(200, {"items": [{"metadata": {"name": "istio-galley"}}]})
            return super().ask(request)

    cluster = Left()
    monkeypatch.setattr(survey, "take", lambda _: replace(SURVEY, istio="validation webhook x", abandoned=True))
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(cluster))
    residue.report(TARGET, purge=True)
    command = "kubectl delete validatingwebhookconfiguration istio-galley --context here"
    assert capsys.readouterr().out == (
        "removed: configmap shop/istio-ca-root-cert\n"
        f"left by another Istio: validatingwebhookconfiguration istio-galley; `{command}` removes it\n"
    )
    assert cluster.deleted == [LEFT]
