"""Objects that get another parent."""

from typing import Any

import pulumi
import pytest

from engine.aliases import FormerParents

KIND = "kubernetes:networking.istio.io/v1alpha3:VirtualService"
HEAD = "urn:pulumi:dev::mesh::"
FORMER = f"{HEAD}mesh:bookinfo:Bookinfo${KIND}::bookinfo"
RECORDED = {
    FORMER: {"metadata": {"name": "bookinfo", "namespace": "shop"}},
    f"{HEAD}pulumi:pulumi:Stack::mesh-dev": {},
}


class Parent(pulumi.Resource):
    """Of a type alone."""

    def __init__(self, token: str) -> None:
        self._type = token

    @property
    def pulumi_resource_type(self) -> str:
        return self._type


def aliases(parent: str = "mesh:traffic:Traffic", kind: str = KIND, namespace: str = "shop") -> list[Any]:
    """Other names that an object called `bookinfo` is given."""
    props = {"metadata": {"name": "bookinfo", "namespace": namespace}}
    above = Parent(parent)
    opts = pulumi.ResourceOptions(parent=above, protect=True)
    found = FormerParents(RECORDED).alias(pulumi.ResourceTransformationArgs(above, kind, "bookinfo", props, opts))
    if found is None:
        return []
    assert (found.props, found.opts.protect, found.opts.parent) == (props, True, above)
    return list(found.opts.aliases or ())


def test_an_object_of_another_component_is_the_one_in_the_state() -> None:
    assert aliases() == [FORMER]


@pytest.mark.parametrize(
    "other",
    [{"parent": "mesh:bookinfo:Bookinfo"}, {"namespace": "else"}, {"kind": KIND.replace("Virtual", "Some")}],
    ids=["same component", "another namespace", "another kind"],
)
def test_any_other_object_keeps_its_name(other: dict[str, str]) -> None:
    assert aliases(**other) == []


def test_without_a_state_nothing_has_moved() -> None:
    args = pulumi.ResourceTransformationArgs(Parent("a"), KIND, "bookinfo", {}, pulumi.ResourceOptions())
    assert FormerParents({}).alias(args) is None
