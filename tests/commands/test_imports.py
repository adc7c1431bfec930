"""The file for `pulumi import`, and the state after an import."""

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


def test_the_import_id_of_an_object_is_its_namespace_and_name_and_components_have_none() -> None:
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


def test_the_name_table_lists_only_resources_outside_the_file() -> None:
    assert set(imports.import_file([COMPONENT, resource("Namespace", "root")])["nameTable"]) == {STACK, PROVIDER}
    assert set(imports.import_file([resource("Namespace", "root")])["nameTable"]) == {BASE, PROVIDER}


def test_the_state_gets_the_inputs_of_the_program_without_fields_of_the_api_server() -> None:
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


def test_an_update_after_an_interrupted_import_is_refused() -> None:
    with pytest.raises(CommandError, match=r"replace the Services istiod.*`make adopt STACK=dev` finishes it"):
        imports.check("dev", {"resources": [COMPONENT, service(clusterIP="10.0.0.1", clusterIPs=["10.0.0.1"])]})


def test_a_headless_service_is_not_taken_for_an_interrupted_import() -> None:
    imports.check("dev", {"resources": [COMPONENT, service(clusterIP="None")]})
    imports.check("dev", {})
