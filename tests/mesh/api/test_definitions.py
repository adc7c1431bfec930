"""The generated custom resource definitions."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from mesh import api
from mesh.api.definitions import definition
from tests.mesh.api.test_api import reference
from tests.releases import RELEASE

DEFINITIONS = {d["spec"]["names"]["kind"]: d for d in api.definitions(RELEASE.api)}
LEFT_OUT = {"IstioOperator"}  # an operator's input; nothing here reads it


def schemas(kind: str) -> list[dict[str, Any]]:
    return [v["schema"]["openAPIV3Schema"] for v in DEFINITIONS[kind]["spec"]["versions"]]


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All properties in a schema, with their paths; not what only repeats them in rules."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from properties(inner, f"{path}.{name}")
    for step in ("items", "additionalProperties"):
        if isinstance(schema.get(step), dict):
            yield from properties(schema[step], f"{path}[]")


def comparable(value: Any) -> Any:
    """Without what says nothing: descriptions, empty values, a format that does not exist, bookkeeping."""
    if isinstance(value, dict):
        cleaned = {
            key: comparable(item)
            for key, item in value.items()
            if not (key == "description" and isinstance(item, str))
            and (key, item) not in (("format", "string"), ("preserveUnknownFields", False))
            and key not in ("release", "chart", "heritage")
        }
        return {key: item for key, item in cleaned.items() if item not in ("", None, {}, [])}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def test_every_kind_has_a_definition() -> None:
    assert list(DEFINITIONS) == [kind.__name__ for kind in api.kinds()]


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_property_has_a_description(kind: str) -> None:
    for schema in schemas(kind):
        assert schema["description"]
        assert [path for path, inner in properties(schema) if not inner.get("description")] == []


def test_the_definitions_equal_istios_own() -> None:
    wanted = {d["spec"]["names"]["kind"]: d for d in yaml.safe_load_all((reference() / "crds.yaml").read_text())}
    assert DEFINITIONS.keys() == wanted.keys() - LEFT_OUT
    for kind, mine in DEFINITIONS.items():
        assert comparable(mine) == comparable(wanted[kind]), kind


@pytest.mark.parametrize(
    ("kind", "name", "names"),
    [
        (
            "VirtualService",
            "virtualservices.networking.istio.io",
            {
                "categories": ["istio-io", "networking-istio-io"],
                "kind": "VirtualService",
                "listKind": "VirtualServiceList",
                "plural": "virtualservices",
                "singular": "virtualservice",
                "shortNames": ["vs"],
            },
        ),
        (
            "AuthorizationPolicy",
            "authorizationpolicies.security.istio.io",
            {
                "categories": ["istio-io", "security-istio-io"],
                "kind": "AuthorizationPolicy",
                "listKind": "AuthorizationPolicyList",
                "plural": "authorizationpolicies",
                "singular": "authorizationpolicy",
            },
        ),
    ],
)
def test_a_definition_has_the_names_of_its_kind(kind: str, name: str, names: dict[str, Any]) -> None:
    assert DEFINITIONS[kind]["metadata"]["name"] == name
    assert DEFINITIONS[kind]["spec"]["names"] == names


@pytest.mark.parametrize(
    ("kind", "labels", "annotations"),
    [
        ("Gateway", {"app": "istio-pilot"}, {"helm.sh/resource-policy": "keep"}),
        ("Telemetry", {"app": "istio-pilot", "istio": "telemetry"}, {"helm.sh/resource-policy": "keep"}),
        ("WorkloadGroup", {"app": "istio-pilot"}, None),
    ],
)
def test_a_definition_has_upstreams_labels_and_annotations(
    kind: str, labels: dict[str, str], annotations: dict[str, str] | None
) -> None:
    metadata = DEFINITIONS[kind]["metadata"]
    assert metadata["labels"] == labels
    assert metadata.get("annotations") == annotations


def test_the_first_version_is_stored_and_all_are_served() -> None:
    versions = definition(api.Gateway, ("v1", "v1beta1"))["spec"]["versions"]
    assert [(v["name"], v["served"], v["storage"]) for v in versions] == [("v1", True, True), ("v1beta1", True, False)]


def test_all_versions_have_one_schema() -> None:
    first, second = schemas("VirtualService")
    assert first == second
    assert first is not second


def test_the_status_is_a_subresource_of_any_form() -> None:
    for kind, d in DEFINITIONS.items():
        assert all(v["subresources"] == {"status": {}} for v in d["spec"]["versions"]), kind
        for schema in schemas(kind):
            assert schema["properties"]["status"]["x-kubernetes-preserve-unknown-fields"] is True


def test_additional_columns_are_in_every_version() -> None:
    for version in DEFINITIONS["DestinationRule"]["spec"]["versions"]:
        columns = [(c["name"], c["type"], c["jsonPath"]) for c in version["additionalPrinterColumns"]]
        assert columns == [("Host", "string", ".spec.host"), ("Age", "date", ".metadata.creationTimestamp")]
        assert all(c["description"] for c in version["additionalPrinterColumns"])


def test_a_kind_without_columns_keeps_the_default_columns() -> None:
    assert "additionalPrinterColumns" not in DEFINITIONS["Gateway"]["spec"]["versions"][0]


def test_a_kind_that_a_release_does_not_have_has_no_definition() -> None:
    versions = {"AuthorizationPolicy": ("v1",), "RequestAuthentication": ("v1",)}
    assert [d["spec"]["names"]["kind"] for d in api.definitions(api.Versions(versions))] == [
        "AuthorizationPolicy",
        "RequestAuthentication",
    ]


def test_a_definition_is_dumped_without_yaml_aliases() -> None:
    assert "&id" not in yaml.safe_dump_all(api.definitions(RELEASE.api))
