"""What holds for every message: wire form, paths of problems, names of objects."""

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


def test_only_what_is_set_goes_over_the_wire() -> None:
    assert wire(Branch(leaves=[Leaf(exact="a", prefix=None), Leaf()])) == {"leaves": [{"exact": "a"}, {}]}


def test_an_empty_list_that_is_set_goes_over_the_wire() -> None:
    assert wire(Branch(leaves=[])) == {"leaves": []}


def test_fields_go_over_the_wire_in_the_order_in_which_they_are_declared() -> None:
    assert list(wire(Branch(from_="x", leaves=[]))) == ["leaves", "from"]


def test_names_that_python_reserves_are_written_with_an_underscore_or_as_in_yaml() -> None:
    assert wire(Branch(from_="x")) == wire(Branch.from_wire({"from": "x"})) == {"from": "x"}


def test_keys_are_text_on_the_wire() -> None:
    assert wire(Branch(numbered={80: "http"})) == {"numbered": {"80": "http"}}


def test_whole_numbers_go_over_the_wire_without_a_point() -> None:
    shares = [leaf["share"] for leaf in wire(Branch(leaves=[Leaf(share=50.0), Leaf(share=0.5)]))["leaves"]]
    assert [repr(share) for share in shares] == ["50", "0.5"]


def test_null_within_free_form_json_is_kept() -> None:
    assert wire(Branch(anything={"a": [None]})) == {"anything": {"a": [None]}}


def test_a_message_does_not_change_once_it_is_built() -> None:
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


def test_a_problem_below_has_its_whole_path() -> None:
    leaves = [{"exact": "a"}, {"exat": "b"}]
    assert problems(Branch, {"leaves": leaves}) == [
        'Branch leaves[1]: unknown field "exat"; did you mean "exact"? (fields: exact, prefix, share)'
    ]


def test_a_problem_of_a_part_built_by_itself_is_told_there() -> None:
    assert problems(Leaf, {"exact": 1}) == ['Leaf exact: expected a string, got 1; put it in quotes: "1"']


def test_all_problems_are_told_at_once() -> None:
    assert problems(Branch, {"leaves": [{"exact": 1}], "named": []}) == [
        'Branch leaves[0].exact: expected a string, got 1; put it in quotes: "1"',
        "Branch named: expected a mapping, got []",
    ]


def test_the_error_is_a_value_error_with_one_line_a_problem() -> None:
    with pytest.raises(ValueError, match=r"\ALeaf exact: .*\nLeaf prefix: .*\Z"):
        Leaf(exact=1, prefix=2)  # type: ignore[arg-type]


def test_braces_in_a_rules_text_are_told_as_they_are() -> None:
    assert problems(api.AuthorizationPolicy, {"action": "DENY"}) == [
        "AuthorizationPolicy rules: is required with DENY; one rule {} means every request"
    ]


def test_the_manifest_is_the_whole_object() -> None:
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


def test_objects_are_written_in_the_version_that_is_stored() -> None:
    assert RELEASE.api.stored(api.DestinationRule) == "networking.istio.io/v1alpha3"
    assert api.Telemetry().manifest("a", "b", RELEASE.api)["apiVersion"] == "telemetry.istio.io/v1alpha1"
    later = api.Versions({"Telemetry": ("v1", "v1alpha1")})
    assert api.Telemetry().manifest("a", "b", later)["apiVersion"] == "telemetry.istio.io/v1"


def test_a_release_has_only_the_kinds_that_it_names() -> None:
    versions = api.Versions({"Gateway": ("v2", "v1")})
    assert versions.of(api.Gateway) == ("v2", "v1")
    assert versions.of(api.Sidecar) == ()
    with pytest.raises(api.ApiError, match=r"^AuthorizationPolicy: this release of Istio does not have the kind$"):
        api.AuthorizationPolicy().manifest("a", "b", versions)


def test_a_column_is_text_unless_said_otherwise() -> None:
    assert Column("Host", ".spec.host", "The host.").type == "string"
