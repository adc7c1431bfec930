"""The base classes Message and Kind: wire form, paths of problems, manifests."""

from typing import Any, ClassVar

import pytest

from mesh import api
from mesh.api.model import Column, at_most_one, optional, wire
from tests.mesh.api.test_api import problems
from tests.releases import RELEASE


class Leaf(api.Message):
    """A leaf."""

    one_of: ClassVar = ("exact", "prefix")

    exact: str | None = optional("All of it.")
    prefix: str | None = optional("Its start.")
    share: float | None = optional("A number.")


class Branch(api.Message):
    """A branch."""

    leaves: list[Leaf] | None = optional("Leaves in a row.")
    named: dict[str, Leaf] | None = optional("Leaves by name.")
    numbered: dict[int, str] | None = optional("Texts by number.")
    from_: str | None = optional("Where it comes from.", wire="from")
    anything: dict[str, Any] | None = optional("Anything.")


def test_the_wire_form_has_only_the_fields_that_are_set() -> None:
    assert wire(Branch(leaves=[Leaf(exact="a", prefix=None), Leaf()])) == {"leaves": [{"exact": "a"}, {}]}


def test_the_wire_form_keeps_an_empty_list_that_is_set() -> None:
    assert wire(Branch(leaves=[])) == {"leaves": []}


def test_the_wire_form_has_fields_in_the_order_of_their_declaration() -> None:
    assert list(wire(Branch(from_="x", leaves=[]))) == ["leaves", "from"]


def test_a_field_whose_name_python_reserves_is_set_with_an_underscore_or_its_wire_name() -> None:
    assert wire(Branch(from_="x")) == wire(Branch.from_wire({"from": "x"})) == {"from": "x"}


def test_the_wire_form_has_text_keys() -> None:
    assert wire(Branch(numbered={80: "http"})) == {"numbered": {"80": "http"}}


def test_the_wire_form_of_a_whole_float_is_an_integer() -> None:
    shares = [leaf["share"] for leaf in wire(Branch(leaves=[Leaf(share=50.0), Leaf(share=0.5)]))["leaves"]]
    assert [repr(share) for share in shares] == ["50", "0.5"]


def test_the_wire_form_keeps_null_in_free_form_json() -> None:
    assert wire(Branch(anything={"a": [None]})) == {"anything": {"a": [None]}}


def test_a_message_is_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Leaf(exact="a").exact = "b"


def test_two_fields_of_a_one_of_group_are_refused_with_their_path() -> None:
    assert problems(Branch, {"named": {"a b": {"exact": "x", "prefix": "y"}}}) == [
        'Branch named["a b"]: only one of exact, prefix may be set, got exact and prefix'
    ]


def test_none_counts_as_not_set_in_a_one_of_group() -> None:
    assert wire(Leaf(exact="x", prefix=None)) == {"exact": "x"}


def test_fields_that_exclude_each_other_need_no_one_of_group() -> None:
    both = Leaf(exact="x", share=1)
    assert list(at_most_one(both, "prefix", "share")) == []
    assert list(at_most_one(both, "exact", "share")) == [
        ((), "only one of exact, share may be set, got exact and share")
    ]


def test_a_problem_of_a_nested_message_has_the_whole_path() -> None:
    leaves = [{"exact": "a"}, {"exat": "b"}]
    assert problems(Branch, {"leaves": leaves}) == [
        'Branch leaves[1]: unknown field "exat"; did you mean "exact"? (fields: exact, prefix, share)'
    ]


def test_a_nested_message_that_is_built_separately_reports_its_own_problems() -> None:
    assert problems(Leaf, {"exact": 1}) == ['Leaf exact: expected a string, got 1; put it in quotes: "1"']


def test_all_problems_of_a_message_are_reported_at_once() -> None:
    assert problems(Branch, {"leaves": [{"exact": 1}], "named": []}) == [
        'Branch leaves[0].exact: expected a string, got 1; put it in quotes: "1"',
        "Branch named: expected a mapping, got []",
    ]


def test_an_api_error_is_a_value_error_with_one_line_for_each_problem() -> None:
    with pytest.raises(ValueError, match=r"\ALeaf exact: .*\nLeaf prefix: .*\Z"):
        Leaf(exact=1, prefix=2)  # type: ignore[arg-type]


def test_braces_in_the_text_of_a_problem_are_not_interpreted() -> None:
    assert problems(api.AuthorizationPolicy, {"action": "DENY"}) == [
        "AuthorizationPolicy rules: is required with DENY; one rule {} means every request"
    ]


def test_the_manifest_has_version_kind_metadata_and_spec() -> None:
    policy = api.PeerAuthentication(mtls=api.MutualTLS(mode="STRICT"))
    assert policy.manifest("default", "istio-system", RELEASE.api, {"a": "b"}, {"c": "d"}) == {
        "apiVersion": "security.istio.io/v1beta1",
        "kind": "PeerAuthentication",
        "metadata": {
            "name": "default",
            "namespace": "istio-system",
            "labels": {"a": "b"},
            "annotations": {"c": "d"},
        },
        "spec": {"mtls": {"mode": "STRICT"}},
    }


def test_a_manifest_has_no_empty_labels_or_annotations() -> None:
    assert api.AuthorizationPolicy().manifest("nothing", "default", RELEASE.api, {}, {})["metadata"] == {
        "name": "nothing",
        "namespace": "default",
    }


@pytest.mark.parametrize("name", ["Reviews", "a_b", "", "-a", "a..b", "a" * 254])
def test_a_name_that_kubernetes_would_refuse_is_an_error(name: str) -> None:
    with pytest.raises(api.ApiError, match=r"^AuthorizationPolicy metadata\.name: "):
        api.AuthorizationPolicy().manifest(name, "default", RELEASE.api)


def test_a_manifest_has_the_storage_version() -> None:
    assert RELEASE.api.stored(api.DestinationRule) == "networking.istio.io/v1alpha3"
    assert api.Telemetry().manifest("a", "b", RELEASE.api)["apiVersion"] == "telemetry.istio.io/v1alpha1"
    later = api.Versions({"Telemetry": ("v1", "v1alpha1")})
    assert api.Telemetry().manifest("a", "b", later)["apiVersion"] == "telemetry.istio.io/v1"


def test_a_kind_that_the_release_does_not_have_is_an_error() -> None:
    versions = api.Versions({"Gateway": ("v2", "v1")})
    assert versions.of(api.Gateway) == ("v2", "v1")
    assert versions.of(api.Sidecar) == ()
    with pytest.raises(api.ApiError, match=r"^AuthorizationPolicy: this release of Istio does not have the kind$"):
        api.AuthorizationPolicy().manifest("a", "b", versions)


def test_a_column_has_type_string_by_default() -> None:
    assert Column("Host", ".spec.host", "The host.").type == "string"
