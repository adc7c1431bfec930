"""The file for `pulumi import`."""

from __future__ import annotations

from typing import Any

from commands import imports

STACK = "urn:pulumi:dev::mesh::pulumi:pulumi:Stack::mesh-dev"
BASE = "urn:pulumi:dev::mesh::mesh:istio:Base::base"
PROVIDER = "urn:pulumi:dev::mesh::pulumi:providers:kubernetes::cluster"


def resource(kind: str, name: str, **metadata: str) -> dict[str, Any]:
    token = f"kubernetes:core/v1:{kind}"
    return {
        "urn": f"urn:pulumi:dev::mesh::mesh:istio:Base${token}::{name}",
        "type": token,
        "custom": True,
        "parent": BASE,
        "provider": f"{PROVIDER}::7f3c",
        "inputs": {"kind": kind, "metadata": {"name": name, **metadata}},
    }


COMPONENT = {"urn": BASE, "type": "mesh:istio:Base", "custom": False, "parent": STACK}


def test_an_object_is_found_by_namespace_and_name_and_a_component_is_empty() -> None:
    file = imports.file([COMPONENT, resource("Namespace", "root"), resource("Service", "root", namespace="shop")])
    component, namespace, service = file["resources"]
    assert component["component"]
    assert "id" not in component
    assert (namespace["id"], service["id"]) == ("root", "shop/root")
    assert service["provider"] == PROVIDER


def test_two_kinds_may_share_a_name() -> None:
    entries = imports.file([resource("Namespace", "root"), resource("Service", "root")])["resources"]
    assert len({entry["name"] for entry in entries}) == 2
    assert {entry["logicalName"] for entry in entries} == {"root"}


def test_only_what_is_not_in_the_file_itself_is_looked_up_in_the_state() -> None:
    assert set(imports.file([COMPONENT, resource("Namespace", "root")])["nameTable"]) == {STACK, PROVIDER}
    assert set(imports.file([resource("Namespace", "root")])["nameTable"]) == {BASE, PROVIDER}
