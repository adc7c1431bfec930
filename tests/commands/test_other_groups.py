"""Commands, too, tell kinds of the same name and of different groups apart."""

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

ISTIOS = meshes.gateway("way-in", meshes.server())
SERVICE = meshes.service("front")


@pytest.mark.parametrize("stack", stackfiles.names())
def test_every_kind_that_a_stack_makes_is_known_by_its_name_alone(stack: str) -> None:
    made = {GroupKind.of(manifest) for manifest in render.manifests(render.record(stack))}
    assert {str(kind) for kind in made} == {kind.name for kind in made}
    assert made <= set(BY_NAME.values())


def test_files_have_the_group_in_their_names_where_several_would_have_the_same() -> None:
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


def test_each_of_them_gets_a_file_in_the_right_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        Resource("kubernetes:x:X", "x", manifest, None)
        for manifest in (ISTIOS, GATEWAY, meshes.thing("Namespace", "shop"))
    ]
    monkeypatch.setattr(render, "record", lambda _: made)
    assert render.render("x", tmp_path) == 3
    assert [file.name for file in (tmp_path / render.FIRST).iterdir()] == ["namespace-shop.yaml"]
    written = [yaml.safe_load(file.read_text())["apiVersion"] for file in sorted((tmp_path / render.THEN).iterdir())]
    assert written == [GATEWAY["apiVersion"], ISTIOS["apiVersion"]]


def test_parity_compares_each_with_its_own_kind() -> None:
    found = differences([GATEWAY, KNATIVE, SERVICE], [ISTIOS, SERVICE])
    assert list(report.lines(found, {})) == [
        "Gateway.gateway.networking.k8s.io shop/way-in: only there",
        "Gateway shop/way-in: only here",
        "Service.serving.knative.dev shop/front: only there",
        "3 differences; 0 on purpose",
    ]


def test_parity_gives_no_defaults_to_a_service_of_others() -> None:
    typed = {**KNATIVE, "spec": {**KNATIVE["spec"], "type": "ClusterIP"}}
    (found,) = differences([typed], [KNATIVE])
    assert (found.path, found.theirs) == ("spec.type", "ClusterIP")


def test_an_object_of_another_group_is_not_adopted_for_ones_own() -> None:
    there = {Ref.of(GATEWAY)}
    assert not adopt._can_be_taken({"inputs": ISTIOS}, there)
    assert adopt._can_be_taken({"inputs": GATEWAY}, there)


def test_a_teardown_finds_what_the_stack_made_by_group() -> None:
    recorded = teardown.Recorded([{"inputs": GATEWAY}, {"inputs": KNATIVE}, {"inputs": {"kind": "Service"}}])
    assert recorded.names(kinds.GATEWAY) == recorded.names(kinds.SERVICE) == set()
    assert recorded.names(GroupKind.of(GATEWAY)) == {("shop", "way-in")}


def test_nobody_waits_for_the_load_balancer_of_a_service_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    standing: Mapping[str, Any] = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}
    api = FakeApi({"GET /api/v1/namespaces/shop/services/front": Answer(200, standing)})
    unready.explain({"resources": [{"inputs": KNATIVE}]}, api)
    assert capsys.readouterr().out == ""
    unready.explain({"resources": [{"inputs": SERVICE}]}, api)
    assert "Service shop/front is not ready" in capsys.readouterr().out


def test_a_service_of_others_asks_precheck_for_no_node_ports() -> None:
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
def test_a_resources_type_says_the_group(token: str, kind: GroupKind | None) -> None:
    assert manifests.kind_of(token) == kind


def test_the_pack_does_not_take_a_gateway_of_others_for_istios() -> None:
    assert resources.read("kubernetes:gateway.networking.k8s.io/v1:Gateway", GATEWAY) is None
    assert resources.read("kubernetes:networking.istio.io/v1beta1:Gateway", ISTIOS)
