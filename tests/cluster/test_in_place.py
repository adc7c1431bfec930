"""Control planes that would become those of another release in place."""

from __future__ import annotations

import pytest

from cluster import in_place
from cluster.orphans import Objects
from cluster.state import StackState
from tests.cluster.standing import Manifest, deployment


def istiod(image: str, name: str = "istiod", app: str = "istiod") -> Manifest:
    return deployment("istio-system", name, image, {"app": app})


def problem(before: Manifest, after: Manifest) -> str:
    return in_place.problem(Objects.of([before]), Objects.of([after]))


def test_a_far_release_in_place_is_refused_with_the_road() -> None:
    said = problem(istiod("docker.io/istio/pilot:1.10.3"), istiod("registry.istio.io/release/pilot:1.30.3-distroless"))
    assert said.startswith("control plane istio-system/istiod would change from Istio 1.10.3 to 1.30.3 in place")
    assert "Set the release back, then run make upgrade TO=1.30: it adds a second control plane" in said


def test_there_is_no_way_down() -> None:
    said = problem(istiod("i/pilot:1.30.3"), istiod("i/pilot:1.10.3"))
    assert said.endswith("Set the release back; a downgrade is not supported (docs/upgrade.md)")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (istiod("i/pilot:1.30.1"), istiod("i/pilot:1.30.3")),
        (istiod("i/pilot:1.29.4"), istiod("i/pilot:1.30.3")),
        (istiod("i/pilot@sha256:0011"), istiod("i/pilot:1.30.3")),
        (istiod("i/pilot:1.10.3"), istiod("i/pilot:1.30.3", name="istiod-1-30-3")),
        (istiod("i/proxyv2:1.10.3", app="gateway"), istiod("i/proxyv2:1.30.3", app="gateway")),
    ],
)
def test_a_near_release_another_control_plane_and_others_are_not(before: Manifest, after: Manifest) -> None:
    assert problem(before, after) == ""


INSTALLED = StackState.of({"urn:pulumi:x::mesh::mesh:istio:Base::base": {"namespace": "istio-system"}})


def test_another_istio_namespace_of_an_installed_stack_is_refused_with_the_way_back() -> None:
    said = in_place.moved(INSTALLED, "mesh-root")
    assert said.startswith("mesh:global.istioNamespace: mesh-root, but the stack is installed in istio-system")
    assert said.endswith("set it to istio-system, or take the stack down first (make down)")


def test_a_stack_that_stays_or_is_new_may_have_any_istio_namespace() -> None:
    assert in_place.moved(INSTALLED, "istio-system") == ""
    assert in_place.moved(StackState(), "mesh-root") == ""
