"""The types of Envoy's fields in a patch's value, as far down as Envoy's API describes them."""

import subprocess
import sys
from itertools import islice
from random import Random
from typing import Any

import pytest

from mesh import api
from mesh.api import envoy_values
from tests import envoy


def problems(sort: str, value: dict[str, Any], operation: str = "MERGE") -> list[str]:
    patch = {"applyTo": sort, "match": {}, "patch": {"operation": operation, "value": value}}
    try:
        api.EnvoyFilter.from_wire({"configPatches": [patch]})
    except api.ApiError as error:
        return [text.removeprefix("EnvoyFilter configPatches[0].patch.value") for text in error.problems]
    return []


def typed(name: str, **config: Any) -> dict[str, Any]:
    """The value of an HTTP filter with a config of this type."""
    return {"name": "a", "typed_config": {"@type": f"type.googleapis.com/{name}", **config}}


LUA = "envoy.extensions.filters.http.lua.v3.Lua"
LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
STRUCT = "udpa.type.v1.TypedStruct"


@pytest.mark.parametrize(
    ("sort", "value", "problem"),
    [
        ("HTTP_FILTER", {"name": 5}, ".name: expected a text, got 5: Envoy's own type"),
        ("HTTP_FILTER", {"typed_config": {"a": 1}}, ".typed_config.@type: is required"),
        ("HTTP_FILTER", {"typedConfig": []}, ".typedConfig: expected a mapping, got []"),
        ("CLUSTER", {"connect_timeout": 5}, '.connect_timeout: expected a duration like "1.5s", got 5'),
        ("CLUSTER", {"connectTimeout": "soon"}, '.connectTimeout: expected a duration like "1.5s", got "soon"'),
        (
            "CLUSTER",
            {"max_requests_per_connection": -1},
            ".max_requests_per_connection: expected a whole number from 0 to 4294967295, got -1",
        ),
        ("CLUSTER", {"type": "STRICT_DSN"}, '.type: "STRICT_DSN" is not one of STATIC, STRICT_DNS'),
        ("CLUSTER", {"health_checks": [{"timeout": 1}]}, ".health_checks[0].timeout: expected a duration"),
        ("VIRTUAL_HOST", {"domains": "*"}, '.domains: expected a list, got "*"'),
        ("VIRTUAL_HOST", {"routes": ["a"]}, '.routes[0]: expected a mapping, got "a"'),
        ("ROUTE_CONFIGURATION", {"validate_clusters": "no"}, '.validate_clusters: expected true or false, got "no"'),
        ("HTTP_FILTER", typed(LUA, inlineCode=5), ".typed_config.inlineCode: expected a text, got 5"),
        (
            "HTTP_FILTER",
            typed(LIMIT, token_bucket={"max_tokens": "many"}),
            '.typed_config.token_bucket.max_tokens: expected a whole number from 0 to 4294967295, got "many"',
        ),
        (
            "HTTP_ROUTE",
            {"typed_per_filter_config": {"a": {"@type": f"x/{LIMIT}", "stat_prefix": []}}},
            ".typed_per_filter_config.a.stat_prefix: expected a text, got []",
        ),
        ("CLUSTER", {"max_requests_per_connection": "9" * 5000}, ".max_requests_per_connection: expected a whole"),
        ("LISTENER", {"socket_options": [{"buf_value": "é"}]}, ".socket_options[0].buf_value: expected bytes in"),
        ("HTTP_FILTER", typed("google.protobuf.StringValue"), ".typed_config.value: is required for google.protobuf"),
        (
            "LISTENER",
            {"socket_options": [{"buf_value": "A"}]},
            ".socket_options[0].buf_value: expected bytes in base64",
        ),
    ],
)
def test_a_wrong_type_is_refused_at_its_field(sort: str, value: dict[str, Any], problem: str) -> None:
    (found,) = problems(sort, value)
    assert found.startswith(problem), found


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (f"{LUA}a", '; did you mean "Lua"?'),
        ("envoy.extensions.filter.http.lua.v3.Lua", f'; did you mean "{LUA}"?'),
        ("envoy.extensions.filters.http.router.v3.Routes", '; did you mean "Router"?'),
        ("os.Path", ", whose names are like envoy.extensions.filters.http.lua.v3.Lua"),
        ("Lua", ", whose names are like envoy.extensions.filters.http.lua.v3.Lua"),
    ],
)
def test_a_type_that_envoy_does_not_have_is_refused_with_the_nearest(name: str, hint: str) -> None:
    (found,) = problems("HTTP_FILTER", typed(name))
    assert found == f'.typed_config.@type: "{name}" is not a type of Envoy{hint}'


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("CLUSTER", {"connect_timeout": "5ms", "max_requests_per_connection": "5", "name": None}),
        ("CLUSTER", {"nobody_knows": [5], "health_checks": [None], "lb_policy": 1}),
        ("HTTP_FILTER", typed("envoy.config.core.v3.Node")),
        ("HTTP_FILTER", typed(STRUCT, type_url=LUA, value={"inlineCode": 5})),
        ("HTTP_FILTER", typed("envoy.config.accesslog.v3.ComparisonFilter", op="NE")),
        ("NETWORK_FILTER", typed("envoy.extensions.filters.network.mysql_proxy.v3.MySQLProxy", stat_prefix=5)),
        ("HTTP_FILTER", typed("envoy.extensions.filters.http.oauth2.v3.OAuth2PerRoute")),
        ("HTTP_FILTER", typed("io.istio.http.peer_metadata.Config")),
    ],
)
def test_what_envoy_reads_or_a_later_one_may_read_is_valid(sort: str, value: dict[str, Any]) -> None:
    assert problems(sort, value) == []


@pytest.mark.parametrize(
    ("config", "texts"),
    [
        ({"inlinecode": "a"}, ['Envoy\'s Lua has no such field, so nothing reads it; did you mean "inlineCode"?']),
        ({"nobody_knows": "a"}, []),
        ({"inlineCode": 5}, []),
    ],
)
def test_a_misspelt_field_is_no_error_and_told_apart(config: dict[str, Any], texts: list[str]) -> None:
    value = typed(LUA, **config)
    assert list(envoy_values.misspelt("HTTP_FILTER", value)) == [
        (("typed_config", name), text) for name, text in zip(config, texts, strict=False)
    ]
    assert bool(problems("HTTP_FILTER", value)) == (config.get("inlineCode") == 5)


def test_a_field_of_a_later_envoy_is_not_taken_for_a_misspelt_one() -> None:
    for name in ("transport_socket_matcher", "transportSocketMatcher"):
        assert list(envoy_values.misspelt("CLUSTER", {name: {}})) == []


def test_the_value_of_what_is_removed_is_read_as_well() -> None:
    assert problems("HTTP_FILTER", {"name": 5}, "REMOVE")


def test_no_value_leads_to_a_traceback() -> None:
    drawn = list(islice(envoy.patches(Random(2)), 500))
    refused = [patch for patch in drawn if problems(*patch)]
    assert 0 < len(refused) < len(drawn)


def test_envoys_types_are_loaded_for_patches_alone() -> None:
    code = "import sys; from mesh import api; api.EnvoyFilter.from_wire({}); print('google.protobuf' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
