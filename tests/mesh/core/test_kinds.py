"""Kinds of objects, and how they are shown."""

import pytest

from mesh import api
from mesh.core import kinds
from mesh.core.kinds import GroupKind


@pytest.mark.parametrize(
    ("manifest", "shown"),
    [
        ({"apiVersion": "networking.istio.io/v1beta1", "kind": "Gateway"}, "Gateway"),
        ({"apiVersion": "networking.istio.io/v1alpha3", "kind": "Gateway"}, "Gateway"),
        ({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}, "Gateway.gateway.networking.k8s.io"),
        ({"apiVersion": "v1", "kind": "Service"}, "Service"),
        ({"apiVersion": "serving.knative.dev/v1", "kind": "Service"}, "Service.serving.knative.dev"),
        ({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}, "Ingress"),
        ({"apiVersion": "example.org/v1", "kind": "Thing"}, "Thing.example.org"),
        ({"apiVersion": "v1", "kind": "Thing"}, "Thing"),
    ],
)
def test_a_kind_is_shown_with_its_group_unless_its_name_alone_identifies_it(
    manifest: dict[str, str], shown: str
) -> None:
    assert str(GroupKind.of(manifest)) == shown


def test_versions_of_one_kind_are_the_same_kind() -> None:
    assert GroupKind.of_version("networking.istio.io/v1", "Gateway") == kinds.GATEWAY


def test_the_name_of_an_istio_kind_alone_means_istios_kind() -> None:
    for kind in api.Kind.__subclasses__():
        assert kinds.BY_NAME[kind.__name__] == GroupKind(kind.__name__, kind.names.group)


def test_each_name_identifies_one_kind() -> None:
    every = [value for value in vars(kinds).values() if isinstance(value, GroupKind)]
    assert sorted({kind.name for kind in every}) == sorted(kind.name for kind in every)


def test_inputs_of_a_resource_that_is_not_a_kubernetes_object_have_no_kind() -> None:
    assert kinds.of_inputs({}) is None
    assert kinds.of_inputs({"kind": "Service"}) is None
    assert kinds.of_inputs({"apiVersion": "v1", "kind": "Service"}) == kinds.SERVICE
