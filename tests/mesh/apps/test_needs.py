"""What objects of apps wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.analysis.objects import Ref
from mesh.apps.app import App
from mesh.apps.needs import Needs
from mesh.apps.objects import Apps, Project, of_apps
from tests.meshes import manifest_of

POD = {
    "serviceAccountName": "cart",
    "imagePullSecrets": [{"name": "pull"}],
    "containers": [
        {
            "name": "cart",
            "image": "cart",
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}}],
        }
    ],
    "volumes": [
        {"name": "a", "secret": {"secretName": "mounted"}},
        {"name": "b", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "c", "projected": {"sources": [{"configMap": {"name": "projected"}}]}},
        {"name": "d", "configMap": {"name": "of-others"}},
    ],
}


def thing(api: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


CORE = [
    thing("v1", kind, name)
    for kind, name in (
        *(("ServiceAccount", "cart"), ("Secret", "pull"), ("Secret", "key"), ("Secret", "mounted")),
        *(
            ("ConfigMap", "settings"),
            ("ConfigMap", "projected"),
            ("PersistentVolumeClaim", "data"),
            ("Service", "cart"),
        ),
    )
]
RULE = thing("networking.istio.io/v1", "DestinationRule", "cart", spec={"host": "cart", "subsets": [{"name": "v1"}]})
ROUTE = {"route": [{"destination": {"host": "cart.shop.svc.cluster.local", "subset": "v1"}}]}


def needed(root: Path, item: dict[str, Any]) -> set[str]:
    (root / "shop.yaml").write_text(yaml.safe_dump_all([*CORE, RULE, item]))
    app = App(namespace="shop", manifests=["shop.yaml"])
    apps, problems = of_apps({"shop": app}, (), Project(root=root, release="1.30", namespaces={"shop": "create"}))
    assert not problems
    (found,) = (
        one for one in apps.objects if one.ref.kind.name == item["kind"] and one.ref.name == item["metadata"]["name"]
    )
    return {str(ref) for ref in needs_of(apps).of(found.ref)}


def needs_of(apps: Apps, **more: Any) -> Needs:
    return Needs({item.ref: item.body for item in apps.objects}, **more)


@pytest.mark.parametrize(
    "spec",
    [
        {"template": {"spec": POD}},
        {"jobTemplate": {"spec": {"template": {"spec": POD}}}},
        POD,
    ],
    ids=["Deployment", "CronJob", "Pod"],
)
def test_a_workload_needs_what_its_pods_name_and_the_apps_have(spec: dict[str, Any], tmp_path: Path) -> None:
    assert needed(tmp_path, thing("apps/v1", "Deployment", "own", spec=spec)) == {
        f"{one['kind']} shop/{one['metadata']['name']}" for one in CORE if one["kind"] != "Service"
    }


def test_a_route_needs_the_services_and_subsets_that_it_leads_to(tmp_path: Path) -> None:
    route = thing("networking.istio.io/v1", "VirtualService", "own", spec={"hosts": ["cart"], "http": [ROUTE]})
    assert needed(tmp_path, route) == {"Service shop/cart", "DestinationRule shop/cart"}


def test_a_binding_needs_its_accounts(tmp_path: Path) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "of-others"}
    subjects = [{"kind": "ServiceAccount", "name": "cart"}, {"kind": "User", "name": "a"}]
    binding = thing("rbac.authorization.k8s.io/v1", "RoleBinding", "own", roleRef=role, subjects=subjects)
    assert needed(tmp_path, binding) == {"ServiceAccount shop/cart"}


def test_a_route_needs_the_workloads_behind_the_services_that_it_leads_to() -> None:
    """Also where a Service selects the pods by several labels."""
    labels = {"app": "cart", "tier": "web"}
    service = thing("v1", "Service", "cart", spec={"selector": labels})
    workloads = [
        thing(
            "apps/v1",
            "Deployment",
            name,
            spec={"template": {"metadata": {"labels": found}, "spec": {"containers": []}}},
        )
        for name, found in (
            ("v1", {**labels, "version": "v1"}),
            ("v2", {**labels, "version": "v2"}),
            ("other", {"app": "cart"}),
        )
    ]
    spec = {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart.shop.svc.cluster.local"}}]}]}
    route = manifest_of("VirtualService", "cart", spec, namespace="istio-system")
    found = {Ref.of(one): one for one in (*map(in_shop, (service, *workloads)), route)}
    assert {str(ref) for ref in Needs(found).of(Ref.of(route))} == {
        *("Service shop/cart", "Deployment shop/v1", "Deployment shop/v2")
    }


def in_shop(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "namespace": "shop"}}


def test_an_autoscaler_comes_after_what_it_scales_also_if_nobody_here_knows_its_kind(tmp_path: Path) -> None:
    target = {"apiVersion": "example.com/v1", "kind": "Rollout", "name": "cart"}
    scaler = thing("autoscaling/v2", "HorizontalPodAutoscaler", "cart", spec={"scaleTargetRef": target})
    rollout = thing("example.com/v1", "Rollout", "cart", spec={"replicas": 2})
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump_all([scaler, rollout]))
    app = App(namespace="shop", manifests=["shop.yaml"])
    apps, _ = of_apps({"shop": app}, (), Project(root=tmp_path, release="1.30", namespaces={"shop": "create"}))
    assert [ref.kind.name for ref in needs_of(apps).in_order()] == ["Rollout", "HorizontalPodAutoscaler"]
    assert {one.ref.kind.name: one.others for one in apps.objects}["Rollout"] == ["spec.replicas"]


def test_what_others_need_is_created_first() -> None:
    route = {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart"}}]}]}
    pods: dict[str, Any] = {"template": {"spec": {"containers": []}}}
    bodies = [
        manifest_of(kind, "cart", spec)
        for kind, spec in (("VirtualService", route), ("Deployment", pods), ("Service", {}), ("ConfigMap", {}))
    ]
    order = Needs({Ref.of(body): body for body in bodies}).in_order()
    assert [ref.kind.name for ref in order] == ["Service", "ConfigMap", "Deployment", "VirtualService"]
