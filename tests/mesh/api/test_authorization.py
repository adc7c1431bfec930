"""AuthorizationPolicy: rules, attributes and external authorization."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

CUSTOM = {"action": "CUSTOM", "provider": {"name": "a"}}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"action": "DENY"}, " rules: is required with DENY; one rule {} means every request"),
        ({"action": "DENY", "rules": []}, " rules: is required with DENY; one rule {} means every request"),
        ({"action": "CUSTOM", "rules": [{}]}, " provider: is required with CUSTOM"),
        (CUSTOM, " rules: is required with CUSTOM; one rule {} means every request"),
        (
            {**CUSTOM, "rules": [{"when": [{"key": "source.namespace", "values": ["b"]}]}]},
            ' rules[0].when[0].key: "source.namespace" is not possible with CUSTOM',
        ),
        ({"provider": {"name": "a"}}, " provider: needs action CUSTOM"),
        ({**CUSTOM, "provider": {}, "rules": [{}]}, " provider.name: is required"),
        (
            {**CUSTOM, "rules": [{"from": [{"source": {"principals": ["a"]}}]}]},
            " rules[0].from[0].source.principals: is not possible with CUSTOM",
        ),
        (
            {**CUSTOM, "rules": [{"when": [{"key": "request.auth.claims[a]", "values": ["b"]}]}]},
            ' rules[0].when[0].key: "request.auth.claims[a]" is not possible with CUSTOM',
        ),
        ({"rules": [{"from": []}]}, " rules[0].from: must not be empty"),
        ({"rules": [{"to": []}]}, " rules[0].to: must not be empty"),
        ({"rules": [{"from": [{}]}]}, " rules[0].from[0].source: is required"),
        (
            {"rules": [{"to": [{"operation": {}}]}]},
            " rules[0].to[0].operation: needs one of hosts, notHosts, ports, notPorts, "
            "methods, notMethods, paths, notPaths",
        ),
        (
            {"rules": [{"to": [{"operation": {"methods": [""]}}]}]},
            " rules[0].to[0].operation.methods[0]: must not be empty",
        ),
        (
            {"rules": [{"to": [{"operation": {"ports": [80]}}]}]},
            ' rules[0].to[0].operation.ports[0]: expected a string, got 80; put it in quotes: "80"',
        ),
        (
            {"rules": [{"to": [{"operation": {"notPorts": ["65536"]}}]}]},
            ' rules[0].to[0].operation.notPorts[0]: "65536" is not a port, 0 to 65535',
        ),
        (
            {"rules": [{"from": [{"source": {"ipBlocks": ["a"]}}]}]},
            ' rules[0].from[0].source.ipBlocks[0]: "a" is neither an IP address nor a range such as "10.0.0.0/8"',
        ),
        ({"rules": [{"when": [{"key": "source.ip"}]}]}, " rules[0].when[0]: needs values, notValues or both"),
        (
            {"rules": [{"when": [{"key": "remote.ip", "notValues": ["a"]}]}]},
            ' rules[0].when[0].notValues[0]: "a" is neither an IP address nor a range',
        ),
        (
            {"rules": [{"when": [{"key": "destination.port", "values": ["http"]}]}]},
            ' rules[0].when[0].values[0]: "http" is not a port, 0 to 65535',
        ),
        ({"action": "ALOW"}, ' action: "ALOW" is not one of ALLOW, DENY, AUDIT, CUSTOM; did you mean "ALLOW"?'),
    ],
)
def test_an_invalid_authorization_policy_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.AuthorizationPolicy, fields) == [f"AuthorizationPolicy{line}"]


@pytest.mark.parametrize(
    "key", ["request.header[a]", "request.headers", "request.headers[]", "request.headers[a", "destination.user", ""]
)
def test_an_unknown_attribute_is_refused_with_the_list_of_attributes(key: str) -> None:
    (line,) = problems(api.Condition, {"key": key, "values": ["a"]})
    assert f'Condition key: "{key}" is not one of source.ip, remote.ip, ' in line
    assert "request.headers[…]" in line


def test_a_misspelt_attribute_is_refused_with_the_nearest_name() -> None:
    (line,) = problems(api.Condition, {"key": "source.principle", "values": ["a"]})
    assert line.endswith('; did you mean "source.principal"?')


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"rules": [{}]},
        {"action": "DENY", "rules": [{"from": [{"source": {"notNamespaces": ["a", "b-*"]}}]}]},
        {
            **CUSTOM,
            "rules": [{"from": [{"source": {"remoteIpBlocks": ["::/0"]}}], "to": [{"operation": {"paths": ["/a*"]}}]}],
        },
        {
            "rules": [
                {
                    "when": [
                        {"key": "request.headers[x-a]", "values": ["b"]},
                        {"key": "destination.port", "notValues": ["0"]},
                    ]
                }
            ]
        },
        {"rules": [{"to": [{"operation": {"ports": ["80", "65535"], "notMethods": ["GET"]}}]}]},
        {**CUSTOM, "rules": [{"when": [{"key": "source.ip", "values": ["10.0.0.0/8", "::1"]}]}]},
        {"selector": {"matchLabels": {"app": "a"}}, "action": "ALLOW"},
    ],
)
def test_a_valid_authorization_policy_keeps_its_wire_form(fields: dict[str, Any]) -> None:
    assert api.AuthorizationPolicy(**fields).spec() == {
        key: fields[key] for key in ("selector", "rules", "action", "provider") if key in fields
    }
