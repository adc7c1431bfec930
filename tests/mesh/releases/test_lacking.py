"""Fields, values, kinds and versions that a release does not have."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from mesh import api, releases
from mesh.config.settings import Settings
from mesh.core.lacking import Lacks
from mesh.core.places import wire_name, written
from mesh.releases import lacking


def models(*roots: type[BaseModel]) -> set[type[BaseModel]]:
    """The types that are reached from others, and those that they inherit from."""
    found: set[type[BaseModel]] = set()

    def visit(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in found:
                found.add(kind)
                for field in kind.model_fields.values():
                    visit(field.annotation)
        else:
            for part in get_args(kind):
                visit(part)

    for root in roots:
        visit(root)
    return {base for one in found for base in one.__mro__ if issubclass(base, BaseModel)}


ALL = models(Settings, *api.kinds())


def literals(kind: Any) -> Iterator[str]:
    if get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    for part in get_args(kind):
        yield from literals(part)


def names() -> dict[str, set[type[BaseModel]]]:
    """Each field and each value of an enumeration, as changes name them, with the types that have it."""
    found: dict[str, set[type[BaseModel]]] = defaultdict(set)
    for model in ALL:
        for name, field in model.model_fields.items():
            part = f"{model.__name__}.{wire_name(name, field)}"
            for one in (part, *(f"{part}={value}" for value in literals(field.annotation))):
                found[one].add(model)
    return found


@pytest.mark.parametrize("name", releases.NAMES)
def test_what_a_release_lacks_is_a_part_of_the_types(name: str) -> None:
    assert releases.lacks(name) - names().keys() == set()


def test_a_name_of_a_part_means_one_type() -> None:
    lacked = {part for name in releases.NAMES for part in releases.lacks(name)}
    assert {part: kinds for part, kinds in names().items() if part in lacked and len(kinds) > 1} == {}


@pytest.mark.parametrize("name", releases.NAMES)
def test_no_part_is_lacking_in_every_release(name: str) -> None:
    assert [part for part in releases.lacks(name) if not releases.having(part)] == []


def test_what_one_release_adds_only_earlier_ones_lack_and_what_it_removes_only_later_ones() -> None:
    assert "HTTPRoute.directResponse" in releases.lacks("1.10")
    assert "HTTPRoute.directResponse" not in releases.lacks("1.30")
    assert releases.having("HTTPRoute.directResponse") == ("1.30",)
    assert releases.having("MeshProxyConfig.parentShutdownDuration") == ("1.10",)
    assert releases.having("HTTPRoute.timeout") == releases.NAMES


def found(model: type[BaseModel], data: Any, *lacks: str) -> list[tuple[str, str]]:
    return [(written(part.path), part.name) for part in Lacks(lacks).parts(model, data)]


def test_a_lacking_part_is_found_in_lists_maps_and_short_forms() -> None:
    route = {"http": [{}, {"mirrors": [], "retries": {"backoff": "1s"}}]}
    assert found(api.VirtualService, route, "HTTPRoute.mirrors", "HTTPRetry.backoff") == [
        ("http[1].retries.backoff", "HTTPRetry.backoff"),
        ("http[1].mirrors", "HTTPRoute.mirrors"),
    ]
    ports = {"portLevelMtls": {80: {"mode": "STRICT"}}}
    assert found(api.PeerAuthentication, ports, "MutualTLS.mode=STRICT") == [
        ("portLevelMtls[80].mode", "MutualTLS.mode=STRICT")
    ]
    namespaces = {"injectedNamespaces": {"a": {"injection": "manual"}, "b": "create"}}
    assert found(Settings, namespaces, "InjectedNamespace.injection") == [
        ("injectedNamespaces.a.injection", "InjectedNamespace.injection")
    ]


def test_a_part_of_a_class_is_lacking_in_the_classes_that_inherit_it() -> None:
    assert found(Settings, {"pilot": {"env": {}}, "gateways": {"a": {"env": {}}}}, "Workload.env") == [
        ("pilot.env", "Workload.env"),
        ("gateways.a.env", "Workload.env"),
    ]
    assert found(Settings, {"pilot": {"env": {}}, "gateways": {"a": {"env": {}}}}, "Pilot.env") == [
        ("pilot.env", "Pilot.env")
    ]


@pytest.mark.parametrize(
    "data", [None, 3, [], {"http": None}, {"http": "x"}, {"http": [3]}, {"http": [{"mirrors": None}]}]
)
def test_what_is_not_set_or_of_another_form_is_not_lacking(data: Any) -> None:
    assert found(api.VirtualService, data, "HTTPRoute.mirrors") == []


def test_a_field_of_an_object_that_the_release_lacks_is_named_with_the_releases_that_have_it() -> None:
    route = {"route": [{"destination": {"host": "a"}}], "mirrors": [{"destination": {"host": "b"}}]}
    body = api.VirtualService.from_wire({"hosts": ["a"], "http": [route]})
    assert list(lacking.of_object("1.10", body)) == [
        (("http", 0, "mirrors"), "Istio 1.10 has no such field; 1.30 has it")
    ]
    assert list(lacking.of_object("1.30", body)) == []
    entry = api.ServiceEntry.from_wire({"hosts": ["a.b"], "resolution": "DNS_ROUND_ROBIN"})
    assert list(lacking.of_object("1.10", entry)) == [
        (("resolution",), 'Istio 1.10 has no value "DNS_ROUND_ROBIN" here; 1.30 has it')
    ]


@pytest.mark.parametrize(
    ("release", "kind", "version", "text"),
    [
        ("1.10", api.WasmPlugin, "v1alpha1", "Istio 1.10 has no kind WasmPlugin; 1.30 has it"),
        (
            "1.10",
            api.Gateway,
            "v1",
            "Istio 1.10 does not serve networking.istio.io/v1 of Gateway: write networking.istio.io/v1alpha3 or"
            " networking.istio.io/v1beta1",
        ),
        ("1.10", api.Gateway, "v1beta1", ""),
        ("1.30", api.Gateway, "v1", ""),
        ("1.30", api.WasmPlugin, "v1alpha1", ""),
        ("1.30", api.Telemetry, "v1", ""),
    ],
)
def test_kinds_and_versions_that_a_release_does_not_serve_are_named(
    release: str, kind: type[api.Kind], version: str, text: str
) -> None:
    assert lacking.of_kind(release, kind, version) == text
