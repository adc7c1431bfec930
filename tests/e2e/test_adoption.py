"""`make adopt` of an Istio that was installed with kubectl. Each test continues from the previous one."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import EACH_RELEASE, Checkout, counts

pytestmark = EACH_RELEASE
ROOT = "--namespace=istio-system"


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    return checkout.objects()


@pytest.fixture(scope="module")
def foreign(checkout: Checkout, before: set[str]) -> set[str]:
    """The objects on the cluster after an installation of the demo profile and Bookinfo with kubectl."""
    assert before
    checkout.set(addons=None, analysis=None)
    checkout.install(checkout.rendered(checkout.stack))
    checkout.kubectl("wait", "--for=condition=Available", "deployment", "--all", ROOT, "--timeout=60s")
    return checkout.objects()


@pytest.mark.usefixtures("foreign")
def test_up_refuses_another_istio_and_names_make_adopt(checkout: Checkout) -> None:
    text = checkout.make("up", code=None)
    assert "already has an Istio that this stack did not install: injection webhook istio-sidecar-injector" in text
    assert "`make adopt` takes it over" in text


@pytest.mark.usefixtures("foreign")
def test_an_istio_that_differs_from_the_stack_is_not_adopted(checkout: Checkout) -> None:
    scale = ("scale", "deployment/istiod", ROOT)
    checkout.kubectl(*scale, "--replicas=2")
    assert "spec.replicas: 2 there, 1 here" in checkout.make("parity", code=2)
    text = checkout.make("adopt", code=None)
    assert "spec.replicas: 2 there, 1 here" in text
    assert f"this is not what stack {checkout.stack} says" in text
    assert checkout.context not in checkout.kubectl(
        "get", "deployment", "--all-namespaces", "--show-managed-fields", "-oyaml"
    )
    checkout.kubectl(*scale, "--replicas=1")


def test_an_istio_is_adopted_without_a_change(checkout: Checkout, foreign: set[str]) -> None:
    assert "no difference; 0 on purpose" in checkout.make("parity", f"FROM={checkout.context}")
    specs = (
        "get",
        "services,deployments,configmaps",
        "--all-namespaces",
        "--output=jsonpath={.items[*]['spec','data']}",
    )
    present = checkout.kubectl(*specs)
    text = checkout.make("adopt")
    assert re.search(rf"adopted: \d+ objects are stack {checkout.stack}'s now", text)
    assert checkout.objects() == foreign
    assert checkout.kubectl(*specs) == present
    found = counts(checkout.make("preview", "ARGS=--refresh --expect-no-changes"))
    assert re.fullmatch(r"Resources: \d+ unchanged", found), found


def test_the_former_field_manager_does_not_conflict_with_the_next_change(checkout: Checkout) -> None:
    checkout.set(meshConfig={"accessLogFile": "/dev/null"}, pilot={"traceSampling": 50})
    assert "~ 2 updated" in counts(checkout.make("up"))
    assert "50" in checkout.kubectl("get", "deployment/istiod", ROOT, "--output=yaml")
    assert "/dev/null" in checkout.kubectl("get", "configmap/istio", ROOT, "--output=yaml")


def test_another_stacks_mesh_is_not_adopted(checkout: Checkout) -> None:
    text = checkout.make("adopt", "STACK=demo", f"CONTEXT={checkout.context}", code=None)
    assert f"already has the mesh of project mesh, stack {checkout.stack}" in text


def test_down_deletes_the_adopted_objects(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before
