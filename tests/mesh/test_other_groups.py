"""Objects of other API groups whose kinds are called like Istio's and Kubernetes' own: nobody takes them for those."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mesh.analysis import violations
from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.suppression import Suppression
from mesh.config import loading
from mesh.core.names import DEFAULT_NAMES
from mesh.pictures import map as drawing
from mesh.requests import comparison, samples
from mesh.review import data, markdown
from tests import meshes
from tests.faults import FAULTS
from tests.meshes import Manifest
from tests.releases import RELEASE
from tests.review import review

GATEWAY: Manifest = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "way-in", "namespace": "shop"},
    "spec": {"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
}
KNATIVE: Manifest = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [{"image": "front"}]}}},
}


def foreign(manifest: Manifest) -> Manifest:
    return {**manifest, "apiVersion": "example.org/v1"}


OTHERS: Sequence[Manifest] = [
    GATEWAY,
    KNATIVE,
    *map(foreign, meshes.valid_mesh()),
    *(foreign(manifest) for fault in FAULTS for manifest in fault.objects),
]
"""For every object of the good mesh, and for each that is wrong with one, the same of another group."""


def mesh(*more: Manifest) -> Mesh:
    return Mesh([Object.read(manifest) for manifest in [*meshes.valid_mesh(), *more]], DEFAULT_NAMES)


def test_analysis_has_nothing_to_say_of_them() -> None:
    assert analyse(mesh(*OTHERS).objects, DEFAULT_NAMES) == []


def test_the_map_does_not_show_them() -> None:
    assert drawing.of(mesh(*OTHERS), "x") == drawing.of(mesh(), "x")


def test_no_request_has_to_do_with_them() -> None:
    assert samples.between(mesh(*OTHERS), mesh(*OTHERS)) == samples.between(mesh(), mesh())
    assert comparison.changes(mesh(), mesh(*OTHERS)) == []


def test_no_policy_is_violated_by_them() -> None:
    before, after = (violations.find(one, RELEASE, {"all": "mandatory"}, ()) for one in (mesh(), mesh(*OTHERS)))
    assert after == before


@pytest.mark.parametrize(("before", "after"), [((), OTHERS), (OTHERS, ())], ids=["they come", "they go"])
def test_a_review_sees_them_and_no_risk_in_them(before: Sequence[Manifest], after: Sequence[Manifest]) -> None:
    found = review([*meshes.valid_mesh(), *before], [*meshes.valid_mesh(), *after])
    changed = {str(change.ref) for change in found.subject.changes}
    assert {"Gateway.gateway.networking.k8s.io shop/way-in", "Service.serving.knative.dev shop/front"} <= changed
    assert [ref for ref in changed if "." not in ref.partition(" ")[0]] == []
    assert (list(found.risks), list(found.request_changes), list(found.findings)) == ([], [], [])


def test_a_report_tells_two_of_the_same_name_apart() -> None:
    changed = meshes.gateway("way-in", meshes.server(80, ["shop.example.com"]), meshes.server(8080))
    found = review([*meshes.valid_mesh(), GATEWAY], meshes.changed([changed]))
    objects = [(change["op"], change["object"]["kind"]) for change in data.plain(found)["changes"]]
    assert objects == [("delete", "Gateway.gateway.networking.k8s.io"), ("update", "Gateway")]
    assert "- removed `Gateway.gateway.networking.k8s.io shop/way-in`" in markdown.write(found)


@pytest.mark.parametrize(
    ("where", "covered"),
    [("Gateway shop/way-in", True), ("Gateway.networking.istio.io shop/way-in", False), ("Gateway* shop/*", True)],
)
def test_a_suppression_of_a_gateway_is_of_istios(where: str, covered: bool) -> None:
    wrong = meshes.changed([meshes.gateway("way-in", meshes.server(80), selector="nobody")])
    found = analyse([Object.read(manifest) for manifest in [*wrong, GATEWAY]], DEFAULT_NAMES)
    (gateway,) = (one for one in found if one.code == "IST0101")
    assert Suppression(code="IST0101", object=where, reason="it is known").covers(gateway) == covered


def test_only_istios_objects_come_from_config() -> None:
    config = {"mesh:injectedNamespaces": '{"shop": "existing"}', "mesh:bookinfo": '{"namespace": "shop"}'}
    stack = loading.load({**config, "mesh:traffic": '{"services": {"reviews": {"timeout": "1s"}}}'})
    own = meshes.routes("reviews", meshes.to("reviews"))
    mine, other = stack.with_origins([Object.read(own), Object.read(foreign(own), "somewhere")])
    assert (mine.origin, other.origin) == ("mesh:traffic.services.reviews", "somewhere")
