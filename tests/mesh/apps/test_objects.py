"""The objects of apps: where they are, what is refused of them, and their order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.api.model import wire
from mesh.apps import images
from mesh.apps.app import App
from mesh.apps.item import AppObject
from mesh.apps.objects import Project, metadata_of, of_apps
from mesh.config import loading, stack
from mesh.config.settings import SettingsError
from tests.meshes import manifest_of

SHOP = {"shop": "create", "istio-system": "existing"}


def objects(root: Path, *bodies: dict[str, Any], **settings: Any) -> tuple[list[AppObject], list[str]]:
    """The objects of one app in one file, and the problems."""
    (root / "shop.yaml").write_text(yaml.safe_dump_all(bodies, sort_keys=False))
    app = App(**{"namespace": "shop", "manifests": ["shop.yaml"], **settings})
    found, problems = of_apps({"shop": app}, (), Project(root=root, release="1.30", namespaces=SHOP))
    return list(found.objects), problems


def without_namespace(kind: str, name: str, spec: Any = None) -> dict[str, Any]:
    manifest = dict(manifest_of(kind, name, spec))
    return {**manifest, "metadata": {"name": name}}


def deployment(image: str) -> dict[str, Any]:
    containers = [{"name": "cart", "image": image}]
    return without_namespace("Deployment", "cart", {"template": {"spec": {"containers": containers}}})


def test_objects_that_name_no_namespace_are_in_that_of_the_app_unless_their_kind_is_in_none(tmp_path: Path) -> None:
    other = manifest_of("Service", "front", namespace="istio-system")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "all"}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "names": {"kind": "Thing", "plural": "things"}, "scope": "Cluster"},
    }
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}}
    found, problems = objects(tmp_path, without_namespace("Service", "cart"), dict(other), role, definition, thing)
    assert not problems
    assert {(one.ref.name, one.ref.namespace) for one in found} == {
        *(("cart", "shop"), ("front", "istio-system")),
        *((name, "") for name in ("all", "things.example.com", "one")),
    }


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("cart", "cart"),
        ("registry:5000/cart", "registry:5000/cart"),
        ("registry:5000/cart:1.0", "registry:5000/cart"),
        ("cart@sha256:00", "cart"),
        ("registry/cart:1@sha256:00", "registry/cart"),
    ],
)
def test_an_image_is_found_by_its_name_without_tag_and_digest(image: str, name: str, tmp_path: Path) -> None:
    assert images.name(image) == name
    (found,), problems = objects(tmp_path, deployment(image), images={name: "other:2"})
    assert not problems
    assert list(images.of(found.body)) == ["other:2"]


@pytest.mark.parametrize(
    ("bodies", "settings", "problem"),
    [
        (
            [without_namespace("Service", "a"), without_namespace("Service", "a")],
            {},
            "shop.yaml:6: Service shop/a is also in shop.yaml:1: leave one of them out",
        ),
        (
            [without_namespace("Service", "a")],
            {"namespace": None},
            "shop.yaml:3: Service a has no namespace: set mesh:apps.shop.namespace",
        ),
        (
            [],
            {"manifests": ["cart.yaml"]},
            "mesh:apps.shop.manifests: cart.yaml: there is no such file or folder",
        ),
        (
            [manifest_of("Service", "a", namespace="shp")],
            {},
            'shop.yaml:5: namespace "shp" is not one of istio-system, shop; did you mean "shop"?: declare it in'
            " mesh:injectedNamespaces or mesh:namespaces",
        ),
        (
            [{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "a", "namespace": "shop"}}],
            {},
            "shop.yaml:5: PersistentVolume is cluster-scoped: leave it out",
        ),
        (
            [without_namespace("VirtualService", "a", {"hosts": ["a"], "http": [{"rout": []}]})],
            {},
            'shop.yaml:9: VirtualService shop/a spec.http[0]: unknown field "rout"; did you mean "route"?',
        ),
        (
            [deployment("cart:1")],
            {"images": {"kart": "x"}},
            'mesh:apps.shop.images: "kart" is not one of cart; did you mean "cart"?, the images of its containers',
        ),
    ],
    ids=["twice", "nowhere", "no file", "undeclared", "cluster-scoped", "of Istio", "no image"],
)
def test_what_is_wrong_is_told_with_file_and_line(
    bodies: list[Any], settings: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    _, (line,) = objects(tmp_path, *map(dict, bodies), **settings)
    assert line.startswith(problem), line


def test_a_service_of_the_config_is_in_the_namespace_of_the_app_that_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Beside Bookinfo, whose namespace is the default, and whose own services keep it."""
    monkeypatch.setattr(stack, "PROJECT", tmp_path)
    services = [
        without_namespace("Service", name, {"ports": [{"port": 80, "name": "http"}]})
        for name in ("cart", "reviews", "stock")
    ]
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump_all(services))
    config = {
        "injectedNamespaces": {"default": "existing", "shop": "create"},
        "bookinfo": True,
        "apps": {"shop": {"namespace": "shop", "manifests": ["shop.yaml"]}},
        "traffic": {
            "services": {name: {"versions": ["v1"], "route": "v1"} for name in ("cart", "reviews")},
            "hosts": {
                f"to-{name}": {"hosts": [f"{name}.example.com"], "routes": [{"to": name}]} for name in ("cart", "stock")
            },
        },
    }
    found = loading.load({f"mesh:{key}": json.dumps(value) for key, value in config.items()})
    made = [item for item in found.traffic if item.body.kind == "VirtualService"]
    assert {(one.name, one.namespace) for one in made if one.path.startswith("traffic.services")} == {
        ("cart", "shop"),
        ("reviews", "default"),
    }
    for name in ("cart", "stock"):  # the second one has no entry in services
        (host,) = (one for one in made if one.path.startswith(f"traffic.hosts.to-{name}"))
        (route,) = wire(host.body)["http"]
        assert route["route"][0]["destination"]["host"] == f"{name}.shop.svc.cluster.local"


@pytest.mark.parametrize(("mirror", "quiet"), [({}, True), ({"mirror": {"service": "other"}}, False)])
def test_a_route_of_a_service_with_several_ports_needs_none(
    mirror: dict[str, Any], quiet: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stack, "PROJECT", tmp_path)
    ports = [{"port": 80, "name": "http"}, {"port": 9090, "name": "http-metrics"}]
    services = [without_namespace("Service", name, {"ports": ports}) for name in ("cart", "other")]
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump_all(services))
    config = {
        "injectedNamespaces": {"shop": "create"},
        "apps": {"shop": {"namespace": "shop", "manifests": ["shop.yaml"]}},
        "traffic": {"services": {"cart": {"versions": ["v1"], "route": "v1", **mirror}}},
    }
    found = loading.load({f"mesh:{key}": json.dumps(value) for key, value in config.items()})
    (made,) = (item for item in found.traffic if item.body.kind == "VirtualService")
    assert made.annotations == ({"galley.istio.io/analyze-suppress": "IST0112"} if quiet else {})


@pytest.mark.parametrize(
    ("name", "labels", "problem"),
    [
        ("else", {}, "namespace else is not declared: add it to mesh:injectedNamespaces or mesh:namespaces"),
        ("istio-system", {}, "namespace istio-system is declared `existing`, so this stack does not create it"),
        ("shop", {"istio-injection": "enabled"}, "istio-injection is set by mesh:injectedNamespaces alone"),
    ],
)
def test_a_namespace_of_the_files_is_one_that_the_stack_creates(
    name: str, labels: dict[str, str], problem: str, tmp_path: Path
) -> None:
    found = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    _, (line,) = objects(tmp_path, found)
    assert problem in line


def test_the_labels_of_a_namespace_are_kept_for_the_one_that_the_stack_creates(tmp_path: Path) -> None:
    found = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "shop"}}}
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(found))
    project = Project(root=tmp_path, release="1.30", namespaces=SHOP)
    made, problems = of_apps({"shop": App(manifests=["shop.yaml"])}, (), project)
    assert not problems
    assert not made.objects
    assert metadata_of(made.namespaces["shop"], "labels") == {"team": "shop"}


def test_fields_of_others_are_those_of_an_object_of_the_app(tmp_path: Path) -> None:
    def shared(name: str) -> tuple[list[AppObject], list[str]]:
        entry = {"object": name, "fields": ["spec.ports[*].port"], "by": "somebody"}
        return objects(tmp_path, without_namespace("Service", "cart"), ownedByOthers=[entry])

    for name in ("Service cart", "Service shop/cart"):
        (found,), problems = shared(name)
        assert (found.others, problems) == (["spec.ports[*].port"], [])
    _, (line,) = shared("Service kart")
    assert line.startswith('mesh:apps.shop.ownedByOthers[0].object: "Service kart" is not one of Service shop/cart')


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (without_namespace("Service", "a", [1]), "Service a spec: expected a mapping"),
        (
            without_namespace("Deployment", "a", {"template": {"spec": {"containers": "a"}}}),
            "containers: expected a list",
        ),
        (
            {**without_namespace("Service", "a"), "metadata": {"name": "a", "labels": {"b": 1}}},
            "expected a string, got 1",
        ),
        (without_namespace("VirtualService", "a", {"hosts": ["a"], "http": [None]}), "http[0]: expected a mapping"),
    ],
)
def test_what_has_the_wrong_form_is_told_and_looked_at_no_further(body: Any, problem: str, tmp_path: Path) -> None:
    found, (line,) = objects(tmp_path, body)
    assert problem in line
    assert line.startswith("shop.yaml:")
    assert not found


@pytest.mark.parametrize(
    ("kind", "annotations", "problem"),
    [
        ("Deployment", {"sidecar.istio.io/interceptionMode": "redirect"}, "is not one of REDIRECT, TPROXY, NONE"),
        ("Rollout", {}, 'kind: "Rollout" is not one of Pod, Deployment'),
    ],
)
def test_a_workload_that_cannot_be_injected_by_hand_is_told_with_its_file(
    kind: str, annotations: dict[str, str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "PROJECT", tmp_path)
    pod = {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "cart"}, "spec": {"template": pod}}
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(body))
    config = {
        "injectedNamespaces": {"shop": {"ownership": "create", "injection": "manual"}},
        "apps": {"shop": {"namespace": "shop", "manifests": ["shop.yaml"]}},
    }
    with pytest.raises(SettingsError) as refusal:
        loading.load({f"mesh:{key}": json.dumps(value) for key, value in config.items()})
    assert str(refusal.value).startswith("shop.yaml:1: ")
    assert problem in str(refusal.value)
