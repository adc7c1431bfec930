"""HTTP routes of a VirtualService."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems

ROUTE = [{"destination": {"host": "a"}}]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, ": needs route, redirect or delegate"),
        ({"route": []}, ": needs route, redirect or delegate"),
        ({"route": ROUTE, "redirect": {"uri": "/"}}, " route: cannot be set together with redirect"),
        ({"redirect": {"uri": "/"}, "fault": {"abort": {}}}, " fault: cannot be set together with redirect"),
        ({"redirect": {"uri": "/"}, "rewrite": {"uri": "/"}}, " rewrite: cannot be set together with redirect"),
        ({"route": ROUTE, "delegate": {"name": "a"}}, " route: cannot be set together with delegate"),
        ({"redirect": {"uri": "/"}, "delegate": {"name": "a"}}, " redirect: cannot be set together with delegate"),
        ({"route": ROUTE, "timeout": "0s"}, ' timeout: "0s" is not a whole number of milliseconds, 1ms or more'),
        ({"route": ROUTE, "mirrorPercent": 101}, " mirrorPercent: 101 is not in 0..100"),
        (
            {"route": ROUTE, "mirrorPercent": 1, "mirror_percent": 1},
            ": only one of mirrorPercent, mirror_percent may be set, got mirrorPercent and mirror_percent",
        ),
        ({"route": [{}]}, " route[0].destination: is required"),
        ({"route": [{**ROUTE[0], "weight": -1}]}, " route[0].weight: -1 is not in 0..2147483647"),
        ({"directResponse": {"status": 200}, "route": ROUTE}, " route: cannot be set together with directResponse"),
        (
            {"route": ROUTE, "mirror": {"host": "a"}, "mirrors": [{"destination": {"host": "b"}}]},
            " mirrors: cannot be set together with mirror",
        ),
        (
            {"route": [{**ROUTE[0], "headers": {"request": {"set": {":authority": "a"}}}}]},
            ' route[0].headers.request.set: the header ":authority" cannot be changed here',
        ),
        (
            {"route": ROUTE, "headers": {"response": {"add": {"host": "a"}}}},
            ' headers.response.add: the header "host" cannot be changed here',
        ),
        (
            {"route": ROUTE, "headers": {"request": {"set": {"Host": "b"}, "add": {":authority": "c"}}}},
            ": sets the authority more than once, by rewrite.authority or headers.request",
        ),
        (
            {"route": ROUTE, "rewrite": {"authority": "a"}, "headers": {"request": {"add": {"Host": "b"}}}},
            ": sets the authority more than once, by rewrite.authority or headers.request",
        ),
        (
            {"route": ROUTE, "rewrite": {"authority": "a"}, "headers": {"request": {"set": {"Host": "b"}}}},
            ": sets the authority more than once, by rewrite.authority or headers.request",
        ),
    ],
)
def test_an_invalid_http_route_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.HTTPRoute, fields) == [f"HTTPRoute{line}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"route": ROUTE, "rewrite": {"authority": "a"}},
        {"route": ROUTE, "rewrite": {"uri": "/"}, "headers": {"request": {"set": {":authority": "a"}}}},
        {"route": ROUTE, "rewrite": {"authority": "a"}, "headers": {"response": {"set": {"x": "y"}}}},
        {"route": ROUTE, "headers": {"request": {"add": {"host": "a", "x": "y"}}}},
        {"match": [{"uri": {"regex": "a"}}], "redirect": {"authority": "a", "redirectCode": 302}},
        {"match": [{"uri": {"prefix": "a"}}], "delegate": {"name": "a"}},
        {"route": ROUTE, "mirror": {"host": "a"}, "mirrorPercentage": {"value": 5}},
    ],
)
def test_a_valid_http_route_is_accepted(fields: dict[str, Any]) -> None:
    assert api.HTTPRoute.from_wire(fields)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (api.HTTPRetry, {}),
        (api.HTTPRetry, {"attempts": 0}),
        (api.HTTPRetry, {"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx", "retryRemoteLocalities": True}),
        (api.CorsPolicy, {"allowOrigins": [{"exact": "a"}, {"prefix": "b"}, {"regex": "c"}], "maxAge": "24h"}),
        (api.CorsPolicy, {"allowMethods": ["GET", "POST"], "allowHeaders": ["*"], "allowCredentials": False}),
        (api.HTTPFaultInjection, {"delay": {"fixedDelay": "5s"}, "abort": {"httpStatus": 503}}),
    ],
)
def test_a_valid_part_of_a_route_is_accepted(message: type[api.Message], fields: dict[str, Any]) -> None:
    assert message.from_wire(fields)


@pytest.mark.parametrize("message", [api.HTTPRedirect, api.HTTPRewrite])
def test_a_redirect_or_rewrite_needs_a_path_or_an_authority(message: type[api.Message]) -> None:
    assert problems(message, {"uri": ""}) == [f"{message.__name__}: needs uri, authority or both"]
    message(authority="a.b")


@pytest.mark.parametrize(
    ("message", "fields", "line"),
    [
        (api.HTTPRedirect, {"uri": "/", "redirectCode": 200}, " redirectCode: 200 is not in 300..399"),
        (api.HTTPRetry, {"perTryTimeout": "2s"}, " attempts: must be 1 or more if anything else is set"),
        (api.HTTPRetry, {"retryOn": "5xx"}, " attempts: must be 1 or more if anything else is set"),
        (
            api.HTTPRetry,
            {"attempts": 0, "retryRemoteLocalities": False},
            " attempts: must be 1 or more if anything else is set",
        ),
        (api.HTTPRetry, {"attempts": -1}, " attempts: -1 is not in 0..2147483647"),
        (api.Delay, {"exponentialDelay": "1s"}, " exponentialDelay: is not supported by the proxy; use fixedDelay"),
        (
            api.Delay,
            {"fixedDelay": "1s", "exponentialDelay": "1s"},
            ": only one of fixedDelay, exponentialDelay may be set, got fixedDelay and exponentialDelay",
        ),
        (api.Abort, {"httpStatus": 199}, " httpStatus: 199 is not in 200..599"),
        (api.Abort, {"http2Error": "x"}, " http2Error: is not supported by the proxy; use httpStatus"),
        (api.Abort, {"http2Error": "a"}, " http2Error: is not supported by the proxy; use httpStatus"),
        (api.HTTPFaultInjection, {}, ": needs delay, abort or both"),
        (api.CorsPolicy, {"allowOrigins": [{"exact": "a"}, {}]}, " allowOrigins[1]: needs exact, prefix or regex"),
        (api.CorsPolicy, {"maxAge": "1.5s"}, ' maxAge: "1.5s" is not a whole number of seconds'),
        (api.CorsPolicy, {"allowHeaders": ["a b"]}, ' allowHeaders[0]: "a b" is not the name of a header'),
    ],
)
def test_an_invalid_part_of_a_route_is_refused_with_its_path(
    message: type[api.Message], fields: dict[str, Any], line: str
) -> None:
    got = problems(message, fields)
    assert got[0] == f"{message.__name__}{line}"


@pytest.mark.parametrize("text", ["5xx", "gateway-error,connect-failure,refused-stream", "503", ""])
def test_envoys_retry_conditions_and_status_codes_are_accepted(text: str) -> None:
    assert api.HTTPRetry(attempts=1, retryOn=text).retryOn == text


def test_an_unknown_retry_condition_is_refused_with_the_nearest_name() -> None:
    (line,) = problems(api.HTTPRetry, {"attempts": 1, "retryOn": "5xx,gateway-eror"})
    assert line.startswith('HTTPRetry retryOn: "gateway-eror" is neither a status code nor one of 5xx, gateway-error, ')
    assert line.endswith('; did you mean "gateway-error"?')
    assert "299" in problems(api.HTTPRetry, {"attempts": 1, "retryOn": "299"})[0]


def test_an_unknown_method_is_refused_with_the_nearest_name() -> None:
    (line,) = problems(api.CorsPolicy, {"allowMethods": ["GET", "PSOT"]})
    assert line.startswith('CorsPolicy allowMethods[1]: "PSOT" is not one of ')
    assert line.endswith('; did you mean "POST"?')
