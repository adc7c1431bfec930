"""Match conditions on HTTP requests, and operations on headers."""

from typing import Any

import pytest

from mesh import api
from mesh.api.http_match import claim_path
from tests.mesh.api.test_api import problems

NO_HEADER = 'headers["@request.auth.claims"] (the key): "@request.auth.claims" is not the name of a header'
EMPTY = "must not be empty; leave the condition empty to ask for presence"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"headers": {"a b": {}}}, 'headers["a b"] (the key): "a b" is not the name of a header'),
        ({"withoutHeaders": {":foo": {}}}, 'withoutHeaders[":foo"] (the key): ":foo" is not the name of a header'),
        ({"headers": {"a": {"prefix": ""}}}, f"headers.a.prefix: {EMPTY}"),
        ({"method": {"prefix": ""}}, f"method.prefix: {EMPTY}"),
        (
            {"sourceNamespace": "a.b"},
            'sourceNamespace: "a.b" is not a DNS label: use letters, digits and inner hyphens, at most 63',
        ),
        (
            {"withoutHeaders": {"@request.auth.claims[a][b]": {}}},
            'withoutHeaders["@request.auth.claims[a][b]"]: only asks whether the claim exists, which proxies refuse:'
            ' write {"regex": ".+"}',
        ),
        ({"headers": {"@request.auth.claims": {}}}, NO_HEADER),
        ({"port": 0}, "port: 0 is not in 1..65535"),
        ({"gateways": ["a/b/c"]}, 'gateways[0]: "a/b/c" is not a gateway: write "name", "namespace/name" or "mesh"'),
        ({"ignoreUriCase": "yes"}, 'ignoreUriCase: expected true or false, got "yes"'),
        (
            {"uri": {"regex": "("}},
            'uri.regex: "(" is not a regular expression: missing ): (',
        ),
    ],
)
def test_an_invalid_match_condition_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.HTTPMatchRequest, fields) == [f"HTTPMatchRequest {line}"]


def test_an_empty_prefix_is_valid_for_a_path_and_an_empty_condition_for_a_header() -> None:
    api.HTTPMatchRequest(uri=api.StringMatch(prefix=""), headers={"a": api.StringMatch(), ":path": api.StringMatch()})


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ("@request.auth.claims.group", ["group"]),
        ("@Request.Auth.Claims.Team.id", ["Team", "id"]),
        ("@request.auth.claims[team][id]", ["team", "id"]),
        ("@request.auth.claims[a.example.com/team]", ["a.example.com/team"]),
        ("@request.auth.claims", []),
        ("@request.auth.claims[]", []),
        ("@request.auth.claims.", []),
        ("x-claims", []),
    ],
)
def test_a_header_stands_for_the_claim_that_it_names(header: str, path: list[str]) -> None:
    assert claim_path(header) == path


def test_a_parameter_of_the_query_is_no_claim() -> None:
    api.HTTPMatchRequest(queryParams={"@request.auth.claims.a": api.StringMatch()})


def test_the_conditions_of_a_match_are_listed_with_their_paths() -> None:
    match = api.HTTPMatchRequest(
        uri=api.StringMatch(exact="u"),
        headers={"h": api.StringMatch(exact="h")},
        queryParams={"q": api.StringMatch(exact="q")},
    )
    assert [(path, condition.exact) for path, condition in match.conditions()] == [
        (("uri",), "u"),
        (("headers", "h"), "h"),
        (("queryParams", "q"), "q"),
    ]


@pytest.mark.parametrize(
    ("headers", "allowed", "names"),
    [
        ({"request": {"set": {"Host": "a"}}}, ("host",), []),
        ({"request": {"set": {"Host": "a"}}}, (), ['"Host"']),
        ({"request": {"add": {":authority": "a", ":path": "b"}}}, ("host", ":authority"), ['":path"']),
        ({"request": {"remove": ["host", "x-a"]}}, ("host",), ['"host"']),
        ({"response": {"set": {"host": "a"}}}, ("host",), ['"host"']),
        ({"response": {"remove": [":status"]}}, (), ['":status"']),
        ({"response": {"set": {"x-a": "a"}}}, (), []),
    ],
)
def test_host_and_pseudo_headers_are_changed_only_where_allowed(
    headers: dict[str, Any], allowed: tuple[str, ...], names: list[str]
) -> None:
    found = [text for _, text in api.Headers(**headers).check_reserved(*allowed)]
    assert found == [f"the header {name} cannot be changed here" for name in names]


def test_the_name_of_a_changed_header_must_not_be_empty() -> None:
    found = list(api.Headers(request=api.HeaderOperations(remove=[""])).check_reserved())
    assert found == [(("request", "remove"), "the name of a header must not be empty")]
