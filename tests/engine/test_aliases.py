"""Aliases for objects that move to another component."""

from typing import Any

import pulumi
import pytest

from cluster.foreign import Wanted
from engine.aliases import FormerUrns
from mesh.analysis.objects import Ref
from mesh.core import kinds

KIND = "kubernetes:networking.istio.io/v1alpha3:VirtualService"
HEAD = "urn:pulumi:dev::mesh::"
FORMER = f"{HEAD}mesh:bookinfo:Bookinfo${KIND}::bookinfo"
RECORDED = {
    FORMER: {"metadata": {"name": "bookinfo", "namespace": "shop"}},
    f"{HEAD}pulumi:pulumi:Stack::mesh-dev": {},
}


class Parent(pulumi.Resource):
    """A resource of which only the type is known."""

    def __init__(self, token: str) -> None:
        self._type = token

    @property
    def pulumi_resource_type(self) -> str:
        return self._type


def aliases(parent: str = "mesh:traffic:Traffic", kind: str = KIND, namespace: str = "shop") -> list[Any]:
    """The aliases of an object with the name `bookinfo`."""
    props = {"metadata": {"name": "bookinfo", "namespace": namespace}}
    above = Parent(parent)
    opts = pulumi.ResourceOptions(parent=above, protect=True)
    found = FormerUrns(RECORDED).alias(pulumi.ResourceTransformationArgs(above, kind, "bookinfo", props, opts))
    if found is None:
        return []
    assert (found.props, found.opts.protect, found.opts.parent) == (props, True, above)
    return list(found.opts.aliases or ())


def test_an_object_with_a_new_parent_gets_its_old_urn_as_an_alias() -> None:
    assert aliases() == [FORMER]


@pytest.mark.parametrize(
    "other",
    [{"parent": "mesh:bookinfo:Bookinfo"}, {"namespace": "else"}, {"kind": KIND.replace("Virtual", "Some")}],
    ids=["same component", "another namespace", "another kind"],
)
def test_any_other_object_gets_no_alias(other: dict[str, str]) -> None:
    assert aliases(**other) == []


def test_without_a_state_there_are_no_aliases() -> None:
    args = pulumi.ResourceTransformationArgs(Parent("a"), KIND, "bookinfo", {}, pulumi.ResourceOptions())
    assert FormerUrns({}).alias(args) is None


def test_objects_that_the_state_does_not_have_are_new() -> None:
    former = FormerUrns(RECORDED)
    above = Parent("mesh:bookinfo:Bookinfo")
    for kind, name in (
        (KIND, "bookinfo"),
        (KIND, "other"),
        ("kubernetes:core/v1:NamespacePatch", "shop"),
        ("a:b:C", "d"),
    ):
        props = {"metadata": {"name": name, "namespace": "shop"}}
        former.alias(pulumi.ResourceTransformationArgs(above, kind, name, props, pulumi.ResourceOptions(parent=above)))
    assert former.new == [Wanted("networking.istio.io/v1alpha3", Ref(kinds.VIRTUAL_SERVICE, "shop", "other"))]


def test_an_object_of_another_version_of_its_api_gets_its_old_urn_as_an_alias() -> None:
    assert aliases(parent="mesh:bookinfo:Bookinfo", kind=KIND.replace("v1alpha3", "v1")) == [FORMER]


def test_a_namespace_that_the_stack_now_creates_is_not_the_label_that_it_has_set_before() -> None:
    patch = "kubernetes:core/v1:NamespacePatch"
    recorded = {f"{HEAD}mesh:istio:Namespaces${patch}::shop": {"metadata": {"name": "shop"}}}
    props = {"metadata": {"name": "shop"}}
    parent = Parent("mesh:istio:Namespaces")
    opts = pulumi.ResourceOptions(parent=parent)
    args = pulumi.ResourceTransformationArgs(parent, "kubernetes:core/v1:Namespace", "shop", props, opts)
    assert FormerUrns(recorded).alias(args) is None
