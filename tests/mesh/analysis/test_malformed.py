"""Malformed objects: they are findings, and no rule, map, policy or report trips over them."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from mesh import releases
from mesh.analysis import violations
from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind
from mesh.core.names import DEFAULT_NAMES
from mesh.pictures import map as drawing
from mesh.review import markdown
from mesh.review.changes import StackObject
from mesh.review.review import Review, Source
from tests import meshes
from tests.faults import FAULTS
from tests.meshes import Manifest, manifest_of, routes, service, to

CASES: dict[str, tuple[Manifest, str]] = {
    "route without destination": (
        routes("front", {"route": [{"weight": 100}]}),
        "IST0106 VirtualService shop/front http[0].route[0].destination: is required",
    ),
    "match that is null": (
        routes("front", {"match": [None], **to("cart")}),
        "IST0106 VirtualService shop/front http[0].match[0]: expected a mapping, got null",
    ),
    "routes in a mapping": (
        manifest_of("VirtualService", "front", {"hosts": ["front"], "http": to("cart")}),
        "IST0106 VirtualService shop/front http: expected a list",
    ),
    "subset without name": (
        manifest_of("DestinationRule", "front", {"host": "front", "subsets": [{"labels": {"version": "v1"}}]}),
        "IST0106 DestinationRule shop/front subsets[0].name: is required",
    ),
    "empty server": (
        manifest_of("Gateway", "gateway", {"selector": {"istio": "ingress"}, "servers": [{}]}),
        "IST0106 Gateway shop/gateway servers[0].port: is required",
    ),
    "spec that is a list": (
        manifest_of("VirtualService", "front", [{"hosts": ["front"]}]),
        "IST0106 VirtualService shop/front spec: expected a mapping",
    ),
    "number in the place of a name": (
        manifest_of("VirtualService", "front", {"hosts": ["front"], "http": [to("cart")], 5: "a"}),
        'IST0106 VirtualService shop/front: unknown field "5"',
    ),
    "value and unknown field": (
        manifest_of("VirtualService", "front", {"hosts": ["front"], "http": [to("cart", timeuot="5s", retries=3)]}),
        "IST0106 VirtualService shop/front http[0].retries: expected a mapping, got 3",
    ),
    "port of a Service in quotes": (
        service("front", [{"name": "http", "port": "80"}]),
        'MESH0002 Service shop/front ports[0].port: expected a whole number, got "80"',
    ),
    "ports of a Service in a mapping": (
        manifest_of("Service", "front", {"selector": {"app": "front"}, "ports": {"http": 80}}),
        "MESH0002 Service shop/front ports: expected a list",
    ),
    "label that is a number": (
        manifest_of("Namespace", "shop", labels={"istio-injection": "enabled", "tier": 1}),
        "MESH0002 Namespace shop metadata.labels.tier: expected a string, got 1",
    ),
    "container without name": (
        manifest_of("Deployment", "front", {"template": {"spec": {"containers": [{"image": "app"}]}}}),
        "MESH0002 Deployment shop/front template.spec.containers[0].name: is required",
    ),
    "mesh config that is no YAML": (
        {**manifest_of("ConfigMap", "istio", namespace="istio-system"), "data": {"mesh": "a: ["}},
        "MESH0002 ConfigMap istio-system/istio data.mesh: not valid YAML",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_malformed_is_said_once_at_its_object(name: str) -> None:
    manifest, start = CASES[name]
    found = [str(finding) for finding in analyse(map(Object.read, meshes.changed([manifest])), DEFAULT_NAMES)]
    assert len([text for text in found if text.startswith(start)]) == 1, found


def test_a_namespace_that_is_no_text_is_said_of_an_object_without_one() -> None:
    other = {**service("other"), "metadata": {"name": "other", "namespace": ["shop"]}}
    found = [str(finding) for finding in analyse(map(Object.read, [*meshes.valid_mesh(), other]), DEFAULT_NAMES)]
    assert found == ['MESH0002 Service other metadata.namespace: expected a string, got ["shop"]']


def test_a_null_is_as_good_as_a_field_that_is_not_set() -> None:
    route = {"route": [{"destination": {"host": "cart", "subset": "v1", "port": None}, "weight": None}], "match": None}
    assert analyse(map(Object.read, meshes.changed([routes("front", route)])), DEFAULT_NAMES) == []


def test_an_unknown_field_hides_neither_the_other_mistakes_nor_the_object() -> None:
    unknown = routes("front", {**to("carts"), "timeuot": "5s"})
    found = analyse(map(Object.read, meshes.changed([unknown])), DEFAULT_NAMES)
    assert [(one.code, one.path) for one in found] == [
        ("IST0101", "http[0].route[0].destination.host"),
        ("IST0106", "http[0]"),
    ]


def test_nothing_is_said_to_be_missing_beside_a_misspelt_field() -> None:
    found = analyse(map(Object.read, meshes.changed([routes("front", {"rout": []})])), DEFAULT_NAMES)
    assert [one.text.partition(" (fields")[0] for one in found] == ['unknown field "rout"; did you mean "route"?']


def test_a_report_on_an_object_that_became_malformed_says_so_and_not_that_it_is_deleted() -> None:
    broken = routes("cart", {"route": [{"weight": 100}]})
    found = _review(meshes.valid_mesh(), meshes.changed([broken]), releases.DEFAULT)
    assert [text.partition(" VirtualService")[0] for text in found.refused] == ["IST0106"]
    assert found.counts == {}


@pytest.mark.parametrize("kind", pods.TEMPLATES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("template", ["text", [], {"spec": []}, {"spec": {"containers": [{}]}}, {"metadata": 5}])
def test_no_pods_of_any_kind_are_read_from_a_malformed_template(kind: GroupKind, template: Any) -> None:
    body: Any = template
    for step in reversed(pods.TEMPLATES[kind]):
        body = {step: body}
    version = f"{kind.group}/v1" if kind.group else "v1"
    meta = {"name": "odd", "namespace": "shop"}
    whole = {"apiVersion": version, "kind": kind.name, **(body if isinstance(body, dict) else {}), "metadata": meta}
    if kind == kinds.POD:
        whole["spec"] = template.get("spec", 5) if isinstance(template, dict) else template
    found = analyse(map(Object.read, [*meshes.valid_mesh(), whole]), DEFAULT_NAMES)
    assert {finding.code for finding in found} == {"MESH0002"}


Step = str | int
VALUES: tuple[Any, ...] = (None, 5, 1.5, "text", "", True, [], {}, [None], ["a"], [{}], {"x": None}, {"x": 5})
"""What people put in the place of something else."""
MESHES = [
    meshes.valid_mesh(),
    *(list(fault.objects) for fault in FAULTS if any("spec" in one for one in fault.objects)),
]


def _paths(value: Any, at: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield from _paths(inner, (*at, step))


NEEDED = (("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"))
"""Without these, nothing is an object: who reads files says so."""


@st.composite
def spoilt(draw: st.DrawFn) -> list[Manifest]:
    """A mesh in which a field of one object is missing, or has another value."""
    objects = draw(st.sampled_from(MESHES))
    paths = [(manifest, path) for manifest in objects for path in _paths(manifest) if path not in NEEDED]
    manifest, path = draw(st.sampled_from(paths))
    changed = copy.deepcopy(manifest)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    if draw(st.booleans()):
        inner[path[-1]] = draw(st.sampled_from(VALUES))
    else:
        del inner[path[-1]]
    return [*meshes.changed([one for one in objects if one is not manifest]), changed]


@pytest.mark.slow
@limits(deadline=None)
@given(spoilt(), st.sampled_from(releases.NAMES))
def test_nothing_trips_over_an_object_of_any_form(manifests: list[Manifest], release: str) -> None:
    names = replace(DEFAULT_NAMES, release=release)
    objects = list(map(Object.read, manifests))
    for finding in analyse(objects, names):
        assert "\n" not in str(finding)
    mesh = Mesh(objects, names)
    drawing.of(mesh, "mesh")
    violations.find(mesh, releases.get(release), {"all": "mandatory"}, ())
    good = meshes.valid_mesh()
    markdown.write(_review(good, manifests, release))
    markdown.write(_review(manifests, good, release))


def _review(old: Sequence[Manifest], new: Sequence[Manifest], release: str) -> Review:
    before, after = ([StackObject(object=Object.read(one), component="") for one in side] for side in (old, new))
    names = replace(DEFAULT_NAMES, release=release)
    return Review.of("files", Source(kind="base branch", text=""), before, after, names, release=release)
