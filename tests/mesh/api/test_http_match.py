"""Conditions on HTTP requests, and changes to headers."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

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
        ({"port": 0}, "port: 0 is not in 1..65535"),
        ({"gateways": ["a/b/c"]}, 'gateways[0]: "a/b/c" is not a gateway: write "name", "namespace/name" or "mesh"'),
        ({"ignoreUriCase": "yes"}, 'ignoreUriCase: expected true or false, got "yes"'),
        (
            {"uri": {"regex": "("}},
            'uri.regex: "(" is not a regular expression: missing ): (',
        ),
    ],
)
def test_a_condition_is_refused(fields: dict[str, Any], line: str) -> None:
    assert problems(api.HTTPMatchRequest, fields) == [f"HTTPMatchRequest {line}"]


def test_a_path_may_have_an_empty_prefix_and_headers_an_empty_condition() -> None:
    api.HTTPMatchRequest(uri=api.StringMatch(prefix=""), headers={"a": api.StringMatch(), ":path": api.StringMatch()})


def test_each_condition_on_a_string_is_found_with_its_path() -> None:
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


@pytest.mark.parametrize(("value", "good"), [("a", True), ("%HOST%", True), ("100%%", True), ("50%", False)])
def test_a_percent_sign_in_a_headers_value_comes_in_pairs(value: str, good: bool) -> None:
    if good:
        api.HeaderOperations(set={"a": value}, add={"b": value})
    else:
        assert problems(api.HeaderOperations, {"add": {"x-a": value}}) == [
            'HeaderOperations add.x-a: "50%" has a single %: write "%%", or %VARIABLE%'
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
def test_envoys_own_headers_are_changed_only_where_allowed(
    headers: dict[str, Any], allowed: tuple[str, ...], names: list[str]
) -> None:
    found = [text for _, text in api.Headers(**headers).check_reserved(*allowed)]
    assert found == [f"the header {name} cannot be changed here" for name in names]


def test_a_header_needs_a_name() -> None:
    found = list(api.Headers(request=api.HeaderOperations(remove=[""])).check_reserved())
    assert found == [(("request", "remove"), "the name of a header must not be empty")]
