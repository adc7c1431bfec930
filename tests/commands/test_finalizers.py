"""Which objects hold up a teardown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cluster.client import Answer
from commands import finalizers
from tests.commands.test_teardown import definition, resource
from tests.fake_api import KNOWN, FakeApi, denied

GROUP = "/apis/networking.istio.io"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io"
NAMESPACE = "/api/v1/namespaces/istio-system"
STATE = {
    "resources": [
        {"type": "pulumi:pulumi:Stack"},
        resource("Service", "istiod", "istio-system"),
        {"inputs": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}},
        definition("VirtualService"),
    ]
}
REMEDY = "  let the owner of a finalizer finish, or remove the finalizer; then run `make down` again\n"


def going(*conditions: str, **more: Any) -> dict[str, Any]:
    listed = [{"status": "True", "message": message} for message in conditions]
    meta = {"deletionTimestamp": "now", **more.pop("metadata", {})}
    return {"metadata": meta, "status": {"conditions": listed}, **more}


def held(name: str, *by: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "finalizers": list(by)}}


def said(capsys: pytest.CaptureFixture[str], **answers: Mapping[str, Any] | Answer) -> str:
    given = {f"GET {path}": one if isinstance(one, Answer) else Answer(200, one) for path, one in answers.items()}
    finalizers.explain(STATE, FakeApi(given))
    return capsys.readouterr().out


def test_a_definition_names_the_custom_resources_that_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    spec = definition("VirtualService")["inputs"]["spec"]
    meta = {"name": "virtualservices.networking.istio.io", "finalizers": ["customresourcecleanup.apiextensions.k8s.io"]}
    there = going("CustomResource deletion is in progress", metadata=meta, spec=spec)
    items = {"kind": "VirtualServiceList", "items": [held("cart", "a.b/c", "d"), held("free")]}
    assert said(capsys, **{DEFINITION: there, f"{GROUP}/v1beta1/virtualservices": items}) == (
        "definition virtualservices.networking.istio.io is being deleted, and waits:"
        " CustomResource deletion is in progress\n"
        "  for VirtualService shop/cart, finalizer a.b/c, d\n" + REMEDY
    )


def test_a_namespace_names_what_is_in_it_of_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    there = going(
        "Some resources are remaining: configmaps. has 1 resource instances,"
        " gateways.networking.istio.io has 12 resource instances, secrets. has 1 resource instances",
        metadata={"name": "istio-system"},
    )
    answers: dict[str, Any] = {
        NAMESPACE: there,
        f"{NAMESPACE}/configmaps": {"kind": "ConfigMapList", "items": [held("held", "a.b/c")]},
        GROUP: {"preferredVersion": {"groupVersion": "networking.istio.io/v1"}},
        f"{GROUP}/v1/namespaces/istio-system/gateways": {"items": [held(f"g{n}", "x") for n in range(12)]},
        f"{NAMESPACE}/secrets": denied("secrets"),
    }
    lines = said(capsys, **answers).splitlines()
    assert lines[0].startswith("namespace istio-system is being deleted, and waits: Some resources are remaining: ")
    assert lines[1] == "  for ConfigMap shop/held, finalizer a.b/c"
    assert lines[2] == "  for gateways shop/g0, finalizer x"
    assert lines[-2] == "  and for 3 more objects"


def test_any_object_of_the_stack_that_waits_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    meta = {
        "name": "istiod",
        "namespace": "istio-system",
        "finalizers": ["example.com/load-balancer"],
    }
    path = f"{NAMESPACE}/services/istiod"
    assert said(capsys, **{path: going(metadata=meta)}) == (
        "Service istio-system/istiod is being deleted, and waits: finalizer example.com/load-balancer\n" + REMEDY
    )


def test_nothing_is_said_of_objects_that_are_gone_or_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, **{f"{NAMESPACE}/services/istiod": {"metadata": {"name": "istiod"}}}) == ""
    assert said(capsys, **{path: denied("everything") for path in KNOWN}) == ""
