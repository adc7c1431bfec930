"""Commands on a stack with another `clusterDomain`: each of them resolves host names with the stack's domain."""

from __future__ import annotations

import json

import pytest

from commands import analyze, map, policy, render, report, sources, stackfiles
from commands.sources import Comparison
from engine import program, recorder
from mesh.analysis.mesh import Mesh
from mesh.config import loading
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Request
from mesh.review.changes import StackObject
from tests.review import SOURCE

pytestmark = pytest.mark.slow

CONFIG = {
    "mesh:profile": "demo",
    "mesh:global": json.dumps(
        {"proxy": {"clusterDomain": "corp.example"}, "defaultPodDisruptionBudget": {"enabled": False}}
    ),
    "mesh:addons": json.dumps({"prometheus": {"host": "p.example.com"}}),
    "mesh:injectedNamespaces": json.dumps({"default": "existing"}),
    "mesh:bookinfo": "true",
}
USUAL_DOMAIN = {**CONFIG, "mesh:global": json.dumps({"defaultPodDisruptionBudget": {"enabled": False}})}
PAGE = "prometheus.istio-system.svc.corp.example"


@pytest.fixture(autouse=True)
def _corp(monkeypatch: pytest.MonkeyPatch) -> None:
    """The config, which every stack gets."""
    monkeypatch.setattr(stackfiles, "config", lambda _: dict(CONFIG))


def made_by(config: dict[str, str]) -> list[StackObject]:
    return list(sources.registered(render.record("corp", config)))


def test_analysis_finds_the_services_behind_an_addons_host() -> None:
    assert [str(found) for found in analyze.findings("corp")] == []


def test_an_update_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(recorder, "is_recording", lambda: False)
    monkeypatch.setattr(program, "_end", said.append)
    render.record("corp", CONFIG)
    assert said == []


def test_policies_have_the_same_findings_as_with_the_default_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    found = policy.findings("corp")
    monkeypatch.setattr(stackfiles, "config", lambda _: dict(USUAL_DOMAIN))
    assert found == policy.findings("corp")


def test_the_map_shows_the_addons_page_as_a_service_of_the_mesh() -> None:
    boxes = {box.id for box in map.of("corp").boxes}
    assert PAGE in boxes
    assert [box for box in boxes if box.startswith("? ")] == []


@pytest.mark.parametrize("before", [CONFIG, USUAL_DOMAIN], ids=["the same domain", "the usual domain"])
def test_a_report_finds_the_addons_page_reachable_before_and_after_a_change(
    before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = made_by(before), made_by(CONFIG)
    monkeypatch.setattr(sources, "choose", lambda *_: Comparison(source=SOURCE, old=old, new=new))
    review = report.of("corp")
    assert (list(review.refused), list(review.findings)) == ([], [])
    assert [str(shift) for shift in review.request_changes if "not a service" in str(shift)] == []
    assert review.subject.new.service(PAGE, "istio-system")
    assert review.subject.old.service("prometheus", "istio-system")


def test_a_request_to_the_addons_host_reaches_its_pods() -> None:
    mesh = Mesh(analyze.objects(render.record("corp", CONFIG)), loading.load(CONFIG).settings.mesh_names)
    pod = mesh.workloads.named("istio-system", "istio-ingressgateway")
    assert pod
    (receiver,) = Evaluator(mesh).from_outside(Request(host="p.example.com"), pod).receivers
    assert (receiver.host, receiver.status, receiver.workloads) == (PAGE, 200, ("prometheus",))


def test_without_the_settings_names_the_page_is_none_of_the_mesh() -> None:
    """What the other tests would see if a command forgot the domain."""
    mesh = Mesh(analyze.objects(render.record("corp", CONFIG)), DEFAULT_NAMES)
    assert mesh.service(PAGE, "istio-system") is None
