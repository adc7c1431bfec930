"""The workloads that are sampled as callers of a service."""

from __future__ import annotations

import pytest

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.callers import Callers
from tests.meshes import Manifest, changed, deployment, manifest_of, service

FEW, MANY = 20, 21
"""The most workloads of a namespace of which all are sampled, and one more."""
PLAIN = {"sidecar.istio.io/inject": "false"}


def many(namespace: str, number: int) -> list[Manifest]:
    """Workloads `a00`, `a01`, … with sidecars, of which `a00` belongs to the service `a00`; then one without."""
    names = [f"a{i:02}" for i in range(number - 1)]
    made = [deployment(name, {"app": name}, namespace, serviceAccountName=name) for name in names]
    bare = deployment("plain", {"app": "plain"}, namespace, serviceAccountName="plain", annotations=PLAIN)
    return [
        manifest_of("Namespace", namespace, labels={"istio-injection": "enabled"}),
        *made,
        bare,
        service("a00", namespace=namespace),
    ]


def callers_of(name: str, namespace: str, *objects: Manifest) -> list[str]:
    mesh = Mesh([Object.read(manifest) for manifest in changed(objects)], DEFAULT_NAMES)
    [called] = mesh.services.with_host(f"{name}.{namespace}.svc.cluster.local")
    return sorted(f"{pod.namespace}/{pod.object.name}" for pod in Callers(mesh).of(called, []))


@pytest.mark.parametrize(
    ("number", "near"),
    [
        (FEW + 1, [f"big/a{i:02}" for i in range(1, FEW)] + ["big/plain"]),  # without the service's own, they are few
        (MANY + 1, ["big/a01", "big/plain"]),
    ],
)
def test_all_workloads_of_the_namespace_call_or_one_of_each_kind_if_they_are_many(number: int, near: list[str]) -> None:
    """The service's own workload, which is the first one with a sidecar, is never among them."""
    assert callers_of("a00", "big", *many("big", number)) == [*near, "shop/front"]


def test_one_of_each_kind_calls_from_all_other_namespaces_together() -> None:
    found = callers_of("cart", "shop", *many("big", MANY), *many("other", MANY))
    assert [one for one in found if not one.startswith("shop/")] == ["big/a00", "big/plain"]


def test_nothing_calls_from_the_namespace_of_istio() -> None:
    alone = deployment("tool", {"app": "tool"}, "istio-system", serviceAccountName="tool", annotations=PLAIN)
    assert [one for one in callers_of("cart", "shop", alone) if not one.startswith("shop/")] == []


def test_a_second_version_of_the_service_does_not_make_its_callers_few() -> None:
    second = deployment("a00-v2", {"app": "a00"}, "big", serviceAccountName="a00")
    assert callers_of("a00", "big", *many("big", MANY + 1), second) == ["big/a01", "big/plain", "shop/front"]
