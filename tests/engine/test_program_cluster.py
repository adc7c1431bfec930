"""The end of the program: an update that takes the control plane from running sidecars, or objects from somebody else,
ends it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from cluster import proxy
from cluster.client import Answer
from cluster.foreign import Wanted
from cluster.state import StackState
from cluster.target import ADOPT, FORCE
from engine import program
from engine.manifests import CreatedObjects
from mesh.analysis.objects import Object, Ref
from mesh.core import kinds
from mesh.core.names import field_manager
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


def check(
    monkeypatch: pytest.MonkeyPatch, api: FakeApi, name: str = "istiod-canary", target: Any = TARGET, *new: Wanted
) -> None:
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(api))
    created = CreatedObjects()
    created.objects.append(Object.read(control_plane(name)))
    cluster = SimpleNamespace(target=target, created=created, new=new, namespaces={"shop"})
    program.check_cluster(cluster, STATE)  # type: ignore[arg-type]


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


CART = Wanted("apps/v1", Ref(kinds.DEPLOYMENT, "shop", "cart"))
SETTINGS = Wanted("v1", Ref(kinds.CONFIG_MAP, "shop", "settings"))
OF_CART = "GET /apis/apps/v1/namespaces/shop/deployments/cart"
OF_SETTINGS = "GET /api/v1/namespaces/shop/configmaps/settings"


def standing(*managers: str, **more: str) -> Answer:
    """An object whose fields these managers have set."""
    return Answer(200, {"metadata": {"managedFields": [{"manager": name, **more} for name in managers]}})


def test_objects_that_others_made_end_the_program_with_their_names(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    api = FakeApi({OF_CART: standing("helm", "kubectl"), OF_SETTINGS: standing("kubectl")})
    check(monkeypatch, api, "istiod", TARGET, CART, SETTINGS)
    assert said == [
        "error: here: 2 objects stand already, made by others: ConfigMap shop/settings by kubectl, Deployment shop/cart"
        " by helm and kubectl. `make adopt` takes over what stands. `make up FORCE=1` goes on all the same"
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404),
        denied("deployments", "get"),
        standing("kube-controller-manager", subresource="status"),
        standing(),  # as the service account `default`
    ],
    ids=["none", "not readable", "status alone", "of nobody"],
)
def test_an_object_that_nobody_else_made_is_no_reason(
    monkeypatch: pytest.MonkeyPatch, said: list[str], answer: Answer
) -> None:
    check(monkeypatch, FakeApi({OF_CART: answer}), "istiod", TARGET, CART)
    assert said == []


def test_what_a_killed_update_has_left_is_the_stacks_own(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    own = field_manager(pulumi.get_project(), pulumi.get_stack())
    check(monkeypatch, FakeApi({OF_CART: standing("kubectl", own)}), "istiod", TARGET, CART)
    assert said == []


def test_adoption_takes_what_others_made(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setenv(ADOPT, "1")
    api = FakeApi({OF_CART: standing("kubectl")})
    check(monkeypatch, api, "istiod", TARGET, CART)
    assert (said, api.asked) == ([], [])


def test_objects_of_a_namespace_that_is_yet_to_be_made_are_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    api = FakeApi()
    check(monkeypatch, api, "istiod", TARGET, Wanted("apps/v1", Ref(kinds.DEPLOYMENT, "bank", "cart")))
    assert (said, api.asked) == ([], [])
