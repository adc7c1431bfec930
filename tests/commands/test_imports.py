"""The file for `pulumi import`."""

from __future__ import annotations

from typing import Any

import pytest

from commands import imports
from commands.stackfiles import CommandError

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
    file = imports.import_file(
        [COMPONENT, resource("Namespace", "root"), resource("Service", "root", namespace="shop")]
    )
    component, namespace, service = file["resources"]
    assert component["component"]
    assert "id" not in component
    assert (namespace["id"], service["id"]) == ("root", "shop/root")
    assert service["provider"] == PROVIDER


def test_two_kinds_may_share_a_name() -> None:
    entries = imports.import_file([resource("Namespace", "root"), resource("Service", "root")])["resources"]
    assert len({entry["name"] for entry in entries}) == 2
    assert {entry["logicalName"] for entry in entries} == {"root"}


def test_only_what_is_not_in_the_file_itself_is_looked_up_in_the_state() -> None:
    assert set(imports.import_file([COMPONENT, resource("Namespace", "root")])["nameTable"]) == {STACK, PROVIDER}
    assert set(imports.import_file([resource("Namespace", "root")])["nameTable"]) == {BASE, PROVIDER}


def test_the_state_says_what_the_program_says_and_not_what_the_api_server_added() -> None:
    whole = {"spec": {"a": 1, "clusterIP": "10.0.0.1"}}
    service = {**resource("Service", "root"), "inputs": {"spec": {"a": 1}}}
    imported = {"urn": service["urn"], "inputs": whole, "outputs": {"__inputs": whole, "spec": whole["spec"]}}
    other = {"urn": "other", "inputs": whole, "outputs": {"__inputs": whole}}
    component = {"urn": BASE}
    first, second, last = imports.with_program_inputs([imported, other, component], [service, COMPONENT])
    assert first["inputs"] == first["outputs"]["__inputs"] == service["inputs"]
    assert first["outputs"]["spec"] == whole["spec"]
    assert (second, last) == (other, component)


def service(**spec: Any) -> dict[str, Any]:
    return {**resource("Service", "istiod"), "inputs": {"spec": spec}}


def test_an_import_that_was_cut_off_is_not_carried_on_by_an_update() -> None:
    with pytest.raises(CommandError, match=r"replace the Services istiod.*`make adopt STACK=dev` carries on"):
        imports.check("dev", {"resources": [COMPONENT, service(clusterIP="10.0.0.1", clusterIPs=["10.0.0.1"])]})


def test_a_service_that_is_to_have_no_address_is_no_imported_one() -> None:
    imports.check("dev", {"resources": [COMPONENT, service(clusterIP="None")]})
    imports.check("dev", {})
