"""The generated custom resource definitions."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from mesh import api, releases
from mesh.api.definitions import definition
from tests.mesh.api.test_api import reference
from tests.releases import RELEASE

pytestmark = pytest.mark.slow

DEFINITIONS = {d["spec"]["names"]["kind"]: d for d in api.definitions(RELEASE.api)}
TODAY = releases.get("1.30").api
TODAYS = {d["spec"]["names"]["kind"]: d for d in api.definitions(TODAY)}
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


def served(kind: str) -> dict[str, dict[str, Any]]:
    """The versions of a kind of today's release, by name."""
    return {version["name"]: version for version in TODAYS[kind]["spec"]["versions"]}


def spec(kind: str, *path: str) -> dict[str, Any]:
    """A part of the schema of a kind of today's release: the fields on the way to it, `[]` for the items of a list."""
    found: dict[str, Any] = served(kind)[TODAY.served[kind][0]]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for step in path:
        found = found["items"] if step == "[]" else found["properties"][step]
    return found


@pytest.mark.parametrize("name", releases.NAMES)
def test_every_kind_of_a_release_has_a_definition(name: str) -> None:
    versions = releases.get(name).api
    found = [d["spec"]["names"]["kind"] for d in api.definitions(versions)]
    assert found == [kind.__name__ for kind in api.kinds() if kind.__name__ in versions.served]
    assert set(found) == versions.served.keys()


def test_1_30_has_fifteen_definitions_and_1_10_twelve() -> None:
    assert len(TODAYS) == 15
    assert TODAYS.keys() - DEFINITIONS.keys() == {"ProxyConfig", "TrafficExtension", "WasmPlugin"}


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
    versions = definition(api.Gateway, api.Versions({"Gateway": ("v1", "v1beta1")}))["spec"]["versions"]
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


@pytest.mark.parametrize("kind", TODAYS)
def test_the_definitions_of_1_30_equal_istios_own(kind: str) -> None:
    file = reference().parent / "istio-1.30.3" / "crds.yaml"
    wanted = {d["spec"]["names"]["kind"]: d for d in yaml.safe_load_all(file.read_text())}
    mine = comparable(TODAYS[kind])
    mine["metadata"] = {"name": mine["metadata"]["name"]}  # labels are left out there
    mine["spec"]["versions"].sort(key=lambda version: version["name"])
    assert wanted.keys() == TODAYS.keys()
    assert mine == comparable(wanted[kind])


def test_1_30_stores_v1_and_serves_the_older_versions() -> None:
    stored = {kind: [name for name, one in served(kind).items() if one["storage"]] for kind in TODAYS}
    assert stored["VirtualService"] == stored["AuthorizationPolicy"] == ["v1"]
    assert stored["Telemetry"] == ["v1alpha1"]
    assert list(served("VirtualService")) == ["v1", "v1alpha3", "v1beta1"]


def test_descriptions_are_in_the_version_that_kubectl_explains_and_in_no_other() -> None:
    for kind in TODAYS:
        for name, version in served(kind).items():
            schema = version["schema"]["openAPIV3Schema"]
            described = [bool(inner.get("description")) for _, inner in properties(schema)]
            explained = name == "v1" or len(served(kind)) == 1
            assert all(described) if explained else not any(described), (kind, name)
    (telemetry,) = (one for name, one in served("Telemetry").items() if name == "v1alpha1")
    assert "description" not in telemetry["additionalPrinterColumns"][0]


def test_versions_differ_in_nothing_but_descriptions() -> None:
    for kind in TODAYS:
        shown = [comparable({**version, "name": "", "storage": True}) for version in served(kind).values()]
        assert all(one == shown[0] for one in shown), kind


@pytest.mark.parametrize(
    ("kind", "path", "keywords"),
    [
        ("VirtualService", ("http", "[]", "timeout"), {"type": "string", "rule": "duration(self) >= duration('1ms')"}),
        ("ServiceEntry", ("ports", "[]", "number"), {"minimum": 0, "rule": "0 < self && self <= 65535"}),
        ("ServiceEntry", ("ports",), {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
        ("AuthorizationPolicy", ("rules",), {"maxItems": 512}),
        ("AuthorizationPolicy", ("rules", "[]", "when", "[]"), {"required": ["key"]}),
        ("DestinationRule", (), {"required": ["host"]}),
        ("DestinationRule", ("trafficPolicy", "loadBalancer", "warmup"), {"required": ["duration"]}),
        (
            "Telemetry",
            ("tracing", "[]", "randomSamplingPercentage"),
            {"format": "double", "nullable": True, "maximum": 100},
        ),
        ("WasmPlugin", ("sha256",), {"pattern": "(^$|^[a-f0-9]{64}$)"}),
    ],
)
def test_1_30s_definitions_carry_limits(kind: str, path: tuple[str, ...], keywords: dict[str, Any]) -> None:
    found = spec(kind, *path)
    rules = [rule["rule"] for rule in found.get("x-kubernetes-validations", ())]
    assert {**keywords, "rule": rules[0] if "rule" in keywords else None} == {
        **{name: found.get(name) for name in keywords},
        "rule": rules[0] if "rule" in keywords else None,
    }


def test_1_10s_definitions_carry_no_limits() -> None:
    text = yaml.safe_dump_all(api.definitions(RELEASE.api))
    assert [word for word in ("x-kubernetes-validations", "maxItems", "maximum:", "minLength") if word in text] == []


def test_a_definition_leaves_out_what_the_release_lacks() -> None:
    for schema in schemas("VirtualService"):
        route = schema["properties"]["spec"]["properties"]["http"]["items"]["properties"]
        assert "directResponse" not in route
        assert "oneOf" not in route["redirect"], "of the fields of its group, 1.10 has none"
    assert {"directResponse", "mirrors"} <= spec("VirtualService", "http", "[]")["properties"].keys()
    (gateway, _) = schemas("Gateway")
    tls = gateway["properties"]["spec"]["properties"]["servers"]["items"]["properties"]["tls"]["properties"]
    assert tls["mode"]["enum"][-1] == "ISTIO_MUTUAL"
    assert spec("Gateway", "servers", "[]", "tls", "mode")["enum"][-1] == "OPTIONAL_MUTUAL"


def test_1_10_has_no_short_name_and_no_columns_of_authorization_policies() -> None:
    assert "shortNames" not in DEFINITIONS["AuthorizationPolicy"]["spec"]["names"]
    assert TODAYS["AuthorizationPolicy"]["spec"]["names"]["shortNames"] == ["ap"]
    assert [c["name"] for c in served("AuthorizationPolicy")["v1"]["additionalPrinterColumns"]] == ["Action", "Age"]
    assert TODAYS["WorkloadGroup"]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
