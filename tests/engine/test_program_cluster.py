"""The end of the program: an update that takes the control plane from running sidecars, or objects from somebody else,
ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from cluster import definitions, proxy
from cluster.client import Answer
from cluster.errors import ClusterError
from cluster.foreign import Wanted
from cluster.state import StackState
from cluster.survey import Definition, Survey
from cluster.target import ADOPT, FORCE, PREVIEW
from engine import program, recorder
from engine.manifests import CreatedObjects
from mesh import api, releases
from mesh.analysis.objects import Object, Ref
from mesh.config import loading
from mesh.core import kinds
from mesh.core.names import field_manager
from tests.cluster import standing as stands
from tests.cluster.test_orphans import control_plane, pod
from tests.fake_api import SURVEY, TARGET, FakeApi, denied

KEY = "urn:pulumi:dev::mesh::mesh:istio:Istiod$kubernetes:core/v1:Service::istiod"
STATE = StackState.of({KEY: control_plane()})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged: errors, which end the program, and warnings."""
    lines: list[str] = []
    monkeypatch.delenv(FORCE, raising=False)
    monkeypatch.setattr(recorder, "is_recording", lambda: False)
    monkeypatch.setattr(program, "_end", lambda text: lines.append(f"error: {text}"))
    monkeypatch.setattr(pulumi.log, "warn", lambda text: lines.append(f"warning: {text}"))
    return lines


def check(
    monkeypatch: pytest.MonkeyPatch,
    api: FakeApi,
    name: str = "istiod-canary",
    target: Any = TARGET,
    *new: Wanted,
    there: Mapping[str, Definition] | None = None,
    more: Sequence[dict[str, Any]] = (),
    recorded: StackState = STATE,
) -> None:
    """Ends a program whose objects are the Service `name`, and `more` definitions."""
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(api))
    created = CreatedObjects()
    created.objects.append(Object.read(control_plane(name)))
    created.definitions += more
    cluster = SimpleNamespace(
        target=target,
        identity={"context": "here"},
        created=created,
        new=new,
        namespaces={"shop"},
        definitions=there or {},
    )
    program.check_cluster(cluster, recorded)  # type: ignore[arg-type]


ASKING = stands.cluster({"kind": "Pod", **pod("cart", "shop")}, stands.namespace("shop"))


def test_the_program_ends_with_the_pods_and_the_way_out(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    check(monkeypatch, ASKING)
    (text,) = said
    assert text.startswith("error: here: 1 pod would keep a sidecar without a control plane")
    assert text.endswith("`make up FORCE=1` continues anyway")


def test_a_far_release_in_place_is_refused_without_the_cluster_too(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    before, after = (
        stands.deployment("istio-system", "istiod", f"i/pilot:{version}", {"app": "istiod"})
        for version in ("1.10.3", "1.30.3")
    )
    urn = "urn:pulumi:dev::mesh::mesh:istio:Istiod$kubernetes:apps/v1:Deployment::istiod"
    recorded = StackState.of({KEY: control_plane(), urn: before})
    check(monkeypatch, FakeApi({}), "istiod", None, more=[after], recorded=recorded)
    (text,) = said
    assert text.startswith("error: here: control plane istio-system/istiod would change from Istio 1.10.3 to 1.30.3")


def test_with_force_it_is_a_warning(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setenv(FORCE, "1")
    check(monkeypatch, ASKING)
    (text,) = said
    assert text.startswith("warning: FORCE=1: continuing, although 1 pod would keep a sidecar")


def test_pods_that_may_not_be_listed_end_the_program(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    check(monkeypatch, stands.cluster(Pod=denied("pods")))
    (text,) = said
    assert (
        "cannot check who still uses what the update changes (Service istio-system/istiod is deleted): the cluster"
        in text
    )
    assert "pods is forbidden" in text


def test_a_cluster_is_asked_only_if_a_control_plane_goes(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    api = FakeApi()
    check(monkeypatch, api, name="istiod")
    check(monkeypatch, api, name="istiod", target=None)
    assert (said, api.asked) == ([], [])


def test_a_preview_without_a_cluster_says_in_one_line_what_it_could_not_check(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    check(monkeypatch, FakeApi(), target=None)
    assert said == [
        "warning: without the cluster it is not known who still uses what the update changes: Service"
        " istio-system/istiod is deleted"
    ]


def definition(release: str) -> dict[str, Any]:
    return next(iter(api.definitions(releases.get(release).api)))


def test_definitions_that_go_down_end_the_program_without_a_request(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    old, asked = definition("1.10"), FakeApi()
    there = {old["metadata"]["name"]: Definition({}, definitions.among([definition("1.30")])[old["metadata"]["name"]])}
    check(monkeypatch, asked, "istiod", there=there, more=[old])
    (text,) = said
    assert text.startswith("error: here: the definitions of Istio's API on the cluster are those of Istio 1.30")
    assert asked.asked == []
    said.clear()
    check(monkeypatch, asked, "istiod", there=there, more=[definition("1.30")])
    assert said == []


def test_definitions_that_go_end_the_program_while_a_control_plane_stays(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    prefix = "urn:pulumi:dev::mesh::mesh:istio:Base$kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    recorded = StackState.of({KEY: control_plane(), f"{prefix}::a": definition("1.10")})
    labels = {"app": "istiod", "istio.io/rev": "default"}
    one = stands.deployment("istio-system", "istiod", "istio/pilot:1.10.3", labels)
    check(monkeypatch, stands.cluster(one), "istiod", recorded=recorded)
    (text,) = said
    going = "1 definition of Istio's API would be deleted, with all objects of the kind"
    assert f"{going}, while the control planes of" in text
    said.clear()
    check(monkeypatch, stands.cluster(one), "istiod", recorded=recorded, more=[definition("1.10")])
    assert said == []


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
        "error: here: 2 objects already exist, created by others: ConfigMap shop/settings by kubectl, Deployment"
        " shop/cart by helm and kubectl. `make adopt` takes them over. `make up FORCE=1` continues anyway"
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


OF_OTHERS = replace(SURVEY, istio="injection webhook istio-sidecar-injector")
"""A cluster with an Istio that make adopt would take over."""
CHOSEN = loading.load({"mesh:context": "here"}).settings


def test_a_preview_goes_on_where_the_istio_of_others_could_be_taken_over(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv(PREVIEW, "1")
    assert program._accepted(OF_OTHERS, StackState(), CHOSEN) is None
    (text,) = said
    assert text.startswith("warning: here (https://here) already has an Istio that this stack did not install")
    assert "Until then `make up` refuses" in text


@pytest.mark.parametrize(
    ("previews", "survey"),
    [(False, OF_OTHERS), (True, replace(OF_OTHERS, version=(1, 20)))],
    ids=["before an update", "where the cluster is too old anyway"],
)
def test_elsewhere_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, said: list[str], previews: bool, survey: Survey
) -> None:
    monkeypatch.setenv(PREVIEW, "1" if previews else "")
    with pytest.raises(ClusterError):
        program._accepted(survey, StackState(), CHOSEN)
    assert said == []
