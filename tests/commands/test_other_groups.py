"""Commands distinguish kinds with the same name in different API groups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.client import Answer
from commands import adopt, render, stackfiles, teardown, unready
from commands.checks import services
from commands.parity import report
from commands.parity.compare import differences
from engine import manifests
from engine.recorder import Resource
from mesh.analysis.objects import Ref
from mesh.core import kinds
from mesh.core.kinds import BY_NAME, GroupKind
from policies import resources
from tests import meshes
from tests.fake_api import FakeApi, case, only
from tests.mesh.test_other_groups import GATEWAY, KNATIVE

pytestmark = pytest.mark.slow

ISTIOS = meshes.gateway("way-in", meshes.server())
SERVICE = meshes.service("front")


@pytest.mark.parametrize("stack", stackfiles.names())
def test_kinds_of_a_stacks_objects_have_unique_names(stack: str) -> None:
    made = {GroupKind.of(manifest) for manifest in render.manifests(render.record(stack))}
    assert {str(kind) for kind in made} == {kind.name for kind in made}
    assert made <= set(BY_NAME.values())


def test_file_names_include_the_group_if_they_would_be_equal_otherwise() -> None:
    odd = {**SERVICE, "metadata": {"name": "b-c", "namespace": "a"}}
    even = {**SERVICE, "metadata": {"name": "c", "namespace": "a-b"}}
    assert render.files([ISTIOS, GATEWAY, SERVICE, odd, even]) == {
        "gateway_networking.istio.io_shop_way-in": ISTIOS,
        "gateway_gateway.networking.k8s.io_shop_way-in": GATEWAY,
        "service-shop-front": SERVICE,
        "service_a_b-c": odd,
        "service_a-b_c": even,
    }
    assert list(render.files([GATEWAY])) == ["gateway-shop-way-in"]


def test_objects_of_both_groups_get_files_in_the_right_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        Resource("kubernetes:x:X", "x", manifest, None)
        for manifest in (ISTIOS, GATEWAY, meshes.manifest_of("Namespace", "shop"))
    ]
    monkeypatch.setattr(render, "record", lambda *_, **__: made)
    assert render.render("dev", tmp_path).count == 3
    assert [file.name for file in (tmp_path / render.FIRST).iterdir()] == ["namespace-shop.yaml"]
    for folder, manifest in ((render.THEN, GATEWAY), (render.LAST, ISTIOS)):
        (file,) = (tmp_path / folder).iterdir()
        assert yaml.safe_load(file.read_text())["apiVersion"] == manifest["apiVersion"]


def test_parity_compares_objects_of_the_same_group() -> None:
    found = differences([GATEWAY, KNATIVE, SERVICE], [ISTIOS, SERVICE])
    assert list(report.lines(found, {})) == [
        "Gateway.gateway.networking.k8s.io shop/way-in: only there",
        "Gateway shop/way-in: only here",
        "Service.serving.knative.dev shop/front: only there",
        "3 differences; 0 on purpose",
    ]


def test_parity_assumes_no_defaults_for_a_service_of_another_group() -> None:
    typed = {**KNATIVE, "spec": {**KNATIVE["spec"], "type": "ClusterIP"}}
    (found,) = differences([typed], [KNATIVE])
    assert (found.path, found.theirs) == ("spec.type", "ClusterIP")


def test_an_object_of_another_group_is_not_adopted() -> None:
    there = {Ref.of(GATEWAY)}
    assert not adopt._can_be_taken({"inputs": ISTIOS}, there)
    assert adopt._can_be_taken({"inputs": GATEWAY}, there)


def test_a_teardown_distinguishes_groups() -> None:
    recorded = teardown.Recorded([{"inputs": GATEWAY}, {"inputs": KNATIVE}, {"inputs": {"kind": "Service"}}])
    assert recorded.names(kinds.GATEWAY) == recorded.names(kinds.SERVICE) == set()
    assert recorded.names(GroupKind.of(GATEWAY)) == {("shop", "way-in")}


def test_a_service_of_another_group_is_not_reported_without_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    standing: Mapping[str, Any] = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}
    api = FakeApi({"GET /api/v1/namespaces/shop/services/front": Answer(200, standing)})
    unready.explain({"resources": [{"inputs": KNATIVE}]}, api)
    assert capsys.readouterr().out == ""
    unready.explain({"resources": [{"inputs": SERVICE}]}, api)
    assert "Service shop/front is not ready" in capsys.readouterr().out


def test_precheck_ignores_node_ports_of_a_service_of_another_group() -> None:
    balanced = {**KNATIVE, "spec": {"type": "LoadBalancer"}}
    assert list(only(balanced).of(kinds.SERVICE)) == []
    assert services.load_balancer(case(FakeApi(), only(balanced))).text == "not needed"


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("kubernetes:core/v1:Service", kinds.SERVICE),
        ("kubernetes:core/v1:NamespacePatch", kinds.NAMESPACE),
        ("kubernetes:networking.istio.io/v1beta1:Gateway", kinds.GATEWAY),
        ("kubernetes:gateway.networking.k8s.io/v1:Gateway", GroupKind.of(GATEWAY)),
        ("kubernetes:serving.knative.dev/v1:Service", GroupKind.of(KNATIVE)),
        ("pulumi:providers:kubernetes", None),
        ("mesh:istio:Gateway", None),
    ],
)
def test_the_group_is_read_from_a_resources_type(token: str, kind: GroupKind | None) -> None:
    assert manifests.kind_of(token) == kind


def test_the_policy_pack_distinguishes_the_gateway_api_from_istio() -> None:
    assert resources.read("kubernetes:gateway.networking.k8s.io/v1:Gateway", GATEWAY) is None
    assert resources.read("kubernetes:networking.istio.io/v1beta1:Gateway", ISTIOS)
