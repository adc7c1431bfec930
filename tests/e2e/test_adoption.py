"""`make adopt` of an Istio that was installed with kubectl. Each test continues from the previous one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.parity.intended import DEFAULT_TAG
from mesh import releases
from tests.e2e.conftest import FIRST_IS_LONG, SECOND_IS_LONG, Checkout, counts
from tests.parity import forms, istio, ours

ROOT = "--namespace=istio-system"


@pytest.fixture(scope="module")
def foreign(checkout: Checkout, before: set[str]) -> set[str]:
    """The objects on the cluster after an installation of the demo profile and Bookinfo with kubectl."""
    assert before
    checkout.set(addons=None, analysis=None)
    checkout.install(checkout.rendered(checkout.stack))
    checkout.kubectl("wait", "--for=condition=Available", "deployment", "--all", ROOT, "--timeout=60s")
    return checkout.objects()


@SECOND_IS_LONG
@pytest.mark.usefixtures("foreign")
def test_up_refuses_another_istio_and_names_make_adopt(checkout: Checkout) -> None:
    text = checkout.make("up", code=None)
    assert "already has an Istio that this stack did not install: injection webhook istio-" in text
    assert "`make adopt` takes it over" in text


@SECOND_IS_LONG
@pytest.mark.usefixtures("foreign")
def test_an_istio_that_differs_from_the_stack_is_not_adopted(checkout: Checkout) -> None:
    scale = ("scale", "deployment/istiod", ROOT)
    checkout.kubectl(*scale, "--replicas=2")
    assert "spec.replicas: 2 there, 1 here" in checkout.make("parity", code=2)
    text = checkout.make("adopt", code=None)
    assert "spec.replicas: 2 there, 1 here" in text
    assert f"the cluster differs from stack {checkout.stack}" in text
    assert checkout.context not in checkout.kubectl(
        "get", "deployment", "--all-namespaces", "--show-managed-fields", "-oyaml"
    )
    checkout.kubectl(*scale, "--replicas=1")


@SECOND_IS_LONG
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
    assert re.search(rf"adopted: stack {checkout.stack} now owns \d+ objects", text)
    assert checkout.objects() == foreign
    assert checkout.kubectl(*specs) == present
    found = counts(checkout.make("preview", "ARGS=--refresh --expect-no-changes"))
    assert re.fullmatch(r"Resources: \d+ unchanged", found), found


@SECOND_IS_LONG
def test_the_former_field_manager_does_not_conflict_with_the_next_change(checkout: Checkout) -> None:
    checkout.set(meshConfig={"accessLogFile": "/dev/null"}, pilot={"traceSampling": 50})
    assert "~ 2 updated" in counts(checkout.make("up"))
    assert "50" in checkout.kubectl("get", "deployment/istiod", ROOT, "--output=yaml")
    assert "/dev/null" in checkout.kubectl("get", "configmap/istio", ROOT, "--output=yaml")


@SECOND_IS_LONG
def test_another_stacks_mesh_is_not_adopted(checkout: Checkout) -> None:
    text = checkout.make("adopt", "STACK=demo", f"CONTEXT={checkout.context}", code=None)
    assert f"already has the mesh of project mesh, stack {checkout.stack}" in text


@SECOND_IS_LONG
def test_down_deletes_the_adopted_objects(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before


@FIRST_IS_LONG
def test_what_istio_itself_installs_is_adopted_without_a_change(checkout: Checkout, before: set[str]) -> None:
    folder = istio.folder(releases.get(checkout.as_cloned.settings.release))
    if not folder:
        pytest.skip(f"{istio.REFERENCE} names no folder with what Istio itself produces")
    checkout.reset_files()
    theirs = ("addons", "analysis", "bookinfo", "gatewayServiceType", "ingressNodePorts", "injectedNamespaces")
    checkout.set(checkout.stack, hub=ours.HUB, **dict.fromkeys((*theirs, "security")))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    checkout.apply(namespace, *installed(checkout, folder / "crds.yaml"))
    checkout.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all", "--timeout=60s")
    tag = [manifest for (_, name), manifest in rendered(checkout).items() if name in DEFAULT_TAG]
    checkout.apply(*tag, *installed(checkout, folder / "profiles" / "demo.yaml"))
    checkout.kubectl("wait", "--for=condition=Available", "deployment", "--all", ROOT, "--timeout=60s")
    specs = ("get", "deployments", ROOT, "--output=jsonpath={.items[*].spec}")
    present = checkout.kubectl(*specs)
    assert "adopted: " in checkout.make("adopt")
    if checkout.stack == "today":  # the variables and volumes of 1.10 are in another order than Istio's
        assert checkout.kubectl(*specs) == present, "pods were replaced"
    found = counts(checkout.make("preview", "ARGS=--refresh --expect-no-changes"))
    assert re.fullmatch(r"Resources: \d+ unchanged", found), found
    checkout.make("down")
    left = {line.split()[2] for line in checkout.objects() - before}
    assert all(name.endswith("install.istio.io") for name in left), "only IstioOperator's definition is not the stack's"


def installed(checkout: Checkout, file: Path) -> Iterator[dict[str, Any]]:
    """Istio's own objects of a file, in versions that a current Kubernetes has. What the reference leaves out of them
    is this project's: labels of definitions, and texts for the injector."""
    own = rendered(checkout)
    for manifest in istio.documents(file):
        found = {**manifest, "apiVersion": forms.NEWER.get(manifest["apiVersion"], manifest["apiVersion"])}
        mine = own.get((found["kind"], found["metadata"]["name"]), found)
        if found["kind"] == "HorizontalPodAutoscaler":  # metrics have another format since autoscaling/v2
            found["spec"] = {**found["spec"], "metrics": mine["spec"]["metrics"]}
        if found["kind"] == ours.DEFINITION:
            found["metadata"] = {**found["metadata"], "labels": mine["metadata"].get("labels", {})}
        if found["kind"] == "ConfigMap":
            data = found["data"]
            if "config" in data:
                texts = yaml.safe_load(mine["data"]["config"])
                templates = {name: texts["templates"].get(name, "spec: {}") for name in data["config"]["templates"]}
                data["config"] |= {"template": texts["template"], "templates": templates}
            found["data"] = {key: json.dumps(value) for key, value in data.items()}
        yield found


def rendered(checkout: Checkout) -> dict[tuple[str, str], dict[str, Any]]:
    """The stack's objects by kind and name."""
    files = [file for folder in checkout.rendered(checkout.stack) for file in Path(folder).iterdir()]
    found = [manifest for file in files for manifest in istio.documents(file)]
    return {(manifest["kind"], manifest["metadata"]["name"]): {**manifest} for manifest in found}
