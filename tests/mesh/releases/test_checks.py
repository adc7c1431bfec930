"""What one release refuses of objects and another accepts."""

from typing import Any

import pytest

from mesh import api, releases
from mesh.core.places import written
from mesh.releases import lacking

TO = [{"destination": {"host": "b"}}]


def shares(*weights: int | None) -> list[dict[str, Any]]:
    return [
        {"destination": {"host": host}, **({} if weight is None else {"weight": weight})}
        for host, weight in zip("bcd", weights, strict=False)
    ]


def routed(**route: Any) -> tuple[type[api.Kind], dict[str, Any]]:
    return api.VirtualService, {"hosts": ["a.b"], "gateways": ["x"], "http": [{"route": TO, **route}]}


def service(kind: str, route: Any) -> tuple[type[api.Kind], dict[str, Any]]:
    match = {"match": [{"sniHosts": ["a.b"]}]} if kind == "tls" else {}
    return api.VirtualService, {"hosts": ["a.b"], kind: [{**match, "route": route}]}


def lines(release: str, kind: type[api.Kind], spec: dict[str, Any]) -> list[str]:
    return [f"{written(path)}: {text}" for path, text in lacking.of_object(release, kind.from_wire(spec))]


SUM = "the weights of several destinations must add up to 100, not"
NONE = "at least one of several destinations needs a weight"
REGEX = {"headers": {"x": {"regex": "a.*"}}}


def condition(key: str, value: str) -> tuple[type[api.Kind], dict[str, Any]]:
    return api.AuthorizationPolicy, {"rules": [{"when": [{"key": key, "values": [value]}]}]}


def path(text: str) -> tuple[type[api.Kind], dict[str, Any]]:
    return api.AuthorizationPolicy, {"rules": [{"to": [{"operation": {"paths": [text]}}]}]}


def stamped(value: str) -> tuple[type[api.Kind], dict[str, Any]]:
    return routed(headers={"request": {"set": {"x-a": value}}})


def patched(name: str) -> tuple[type[api.Kind], dict[str, Any]]:
    value = {"name": "a", "list": [{"typed_config": {"@type": f"type.googleapis.com/{name}"}}]}
    change = {"applyTo": "HTTP_FILTER", "patch": {"operation": "ADD", "value": value}}
    return api.EnvoyFilter, {"configPatches": [change]}


OUT = {"hosts": ["a.b"]}
KNOWN = (
    "source.ip, remote.ip, source.namespace, source.principal, destination.ip, destination.port,"
    " request.auth.principal, request.auth.audiences, request.auth.presenter, connection.sni"
)
KEYS = '{"keys": []}'
SOCKET = {"name": "http", "protocol": "HTTP"}


@pytest.mark.parametrize(
    ("given", "of_1_10", "of_1_30"),
    [
        (routed(route=shares(60, 60)), [f"http[0].route: {SUM} 120"], []),
        (routed(route=shares(60, 40)), [], []),
        (routed(route=shares(None, 100)), [], []),
        (routed(route=shares(None, None)), [f"http[0].route: {SUM} 0"], [f"http[0].route: {NONE}"]),
        (routed(route=shares(150)), ["http[0].route[0].weight: 150 is not in 0..100"], []),
        (routed(route=shares(30)), [], []),
        (service("tls", shares(1, 1)), [f"tls[0].route: {SUM} 2"], []),
        (service("tcp", shares(None, None)), [f"tcp[0].route: {SUM} 0"], [f"tcp[0].route: {NONE}"]),
        (
            (api.VirtualService, {"hosts": ["a"], "http": [{"delegate": {"name": "d"}, "match": [{}, REGEX]}]}),
            ["http[0].match[1].headers.x.regex: is not possible with delegates; use exact or prefix"],
            [],
        ),
        (
            (api.VirtualService, {"http": [{"route": TO, "match": [{"uri": {"regex": "a"}}]}]}),
            ["http[0].match[0].uri.regex: is not possible with delegates; use exact or prefix"],
            [],
        ),
        (routed(match=[REGEX]), [], []),
        (
            routed(match=[{"headers": {"@request.auth.claims.sub": {"exact": "jo"}}}]),
            [
                'http[0].match[0].headers["@request.auth.claims.sub"]: "@request.auth.claims.sub" is not the name of a'
                " header"
            ],
            [],
        ),
        (
            routed(fault={"abort": {"grpcStatus": "UNAVAILABLE"}}),
            ["http[0].fault.abort.grpcStatus: is not supported by the proxy; use httpStatus"],
            [],
        ),
        (
            routed(corsPolicy={"allowMethods": ["GET", "*"]}),
            ['http[0].corsPolicy.allowMethods[1]: "*" is not a method: list the methods'],
            [],
        ),
        (
            routed(retries={"attempts": 1, "retryOn": "5xx,http3-post-connect-failure"}),
            ['http[0].retries.retryOn: "http3-post-connect-failure" is neither a status code nor one of'],
            [],
        ),
        (
            (
                api.DestinationRule,
                {
                    "host": "a",
                    "trafficPolicy": {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "c"}}}},
                },
            ),
            ["trafficPolicy.loadBalancer.consistentHash.httpCookie.ttl: is required"],
            [],
        ),
        ((api.WorkloadEntry, {"network": "n"}), ["address: is required"], []),
        (
            (api.Sidecar, {"ingress": [{"port": {"number": 80}, "defaultEndpoint": "[::1]:80"}]}),
            ['ingress[0].defaultEndpoint: "[::1]:80" is not 127.0.0.1:<port>, 0.0.0.0:<port> or unix:///path'],
            [],
        ),
        (
            condition("source.serviceAccount", "a/b"),
            [f'rules[0].when[0].key: "source.serviceAccount" is not one of {KNOWN}'],
            [],
        ),
        (
            (api.RequestAuthentication, {"jwtRules": [{"jwksUri": "https://a.b/keys"}]}),
            ["jwtRules[0].issuer: is required"],
            [],
        ),
        (
            (api.RequestAuthentication, {"jwtRules": [{"issuer": "i", "jwksUri": "https://a.b/keys", "jwks": KEYS}]}),
            [],
            ["jwtRules[0]: only one of jwksUri, jwks_uri, jwks may be set, got jwksUri and jwks"],
        ),
        (
            (api.Gateway, {"servers": [{"port": SOCKET, "hosts": ["*"], "bind": "unix:///a"}]}),
            [],
            ["servers[0].port.number: is required by the API server"],
        ),
        (
            (api.Gateway, {"servers": [{"port": {**SOCKET, "number": 0}, "hosts": ["*"], "bind": "unix:///a"}]}),
            [],
            [],
        ),
        (
            stamped("50%"),
            ['http[0].headers.request.set.x-a: "50%" has a single %: write'],
            ['http[0].headers.request.set.x-a: "50%" has a % that begins no variable: write'],
        ),
        (
            stamped("%START_TIME(%Y-%m-%d)%"),
            ['http[0].headers.request.set.x-a: "%START_TIME(%Y-%m-%d)%" has a single %'],
            [],
        ),
        (
            stamped("%A(B% 100%%"),
            [],
            ['http[0].headers.request.set.x-a: "%A(B% 100%%" has a % that begins no variable'],
        ),
        (stamped('a 100%% %HOST% %METADATA(["a", "b"])%'), [], []),
        (
            (api.ServiceEntry, {**OUT, "ports": [{"number": 80, "name": "a", "protocol": "Thrift"}]}),
            [],
            ['ports[0].protocol: "Thrift" is no longer a protocol: write TCP'],
        ),
        (
            (api.ServiceEntry, {**OUT, "endpoints": []}),
            [],
            ["endpoints: need resolution STATIC or DNS, even if the list is empty: leave it out"],
        ),
        ((api.ServiceEntry, {**OUT, "resolution": "STATIC", "endpoints": []}), [], []),
        (
            (api.WorkloadEntry, {"address": "unix:///a", "ports": {}}),
            [],
            ["ports: a Unix domain socket has no ports, not even {}: leave it out"],
        ),
        (
            (api.WorkloadEntry, {"address": "a.b", "ports": {"a" * 63: 80}}),
            [],
            [f"ports.{'a' * 63}: has 63 characters; the API server accepts at most 62"],
        ),
        (
            patched("envoy.config.filter.http.lua.v2.Lua"),
            [],
            ['configPatches[0].patch.value.list[0].typed_config["@type"]: "type.googleapis.com/envoy.config.filter'],
        ),
        (patched("envoy.extensions.filters.http.lua.v3.Lua"), [], []),
        (
            (api.RequestAuthentication, {"jwtRules": [{"issuer": "i", "jwksUri": "https://a.b#keys"}]}),
            [],
            ['jwtRules[0].jwksUri: "https://a.b#keys": a document has no part after #: leave it out'],
        ),
        (
            (api.Telemetry, {"tracing": [{"customTags": {"": {"literal": {"value": "a"}}}}]}),
            [],
            ["tracing[0].customTags: the name of a tag must not be empty"],
        ),
        (path("/a/{*}/b/{**}"), [], []),
        (
            path("/a/{**}/b/{*}"),
            [],
            [
                'rules[0].to[0].operation.paths[0]: "/a/{**}/b/{*}": {*} cannot follow {**}, which stands for all that'
                " follows"
            ],
        ),
        (
            path("/a/{id}"),
            [],
            [
                'rules[0].to[0].operation.paths[0]: "/a/{id}": the only segments in braces that a path may have are'
                " {*} and {**}"
            ],
        ),
        (
            path("/{*}/a*"),
            [],
            ['rules[0].to[0].operation.paths[0]: "/{*}/a*": "a*" cannot be a segment of a path with {*} or {**}'],
        ),
    ],
)
def test_each_release_refuses_what_its_own_istio_refuses(
    given: tuple[type[api.Kind], dict[str, Any]], of_1_10: list[str], of_1_30: list[str]
) -> None:
    for release, wanted in (("1.10", of_1_10), ("1.30", of_1_30)):
        found = lines(release, *given)
        assert len(found) == len(wanted), release
        assert all(line.startswith(begin) for line, begin in zip(found, wanted, strict=True)), (release, found)


def test_only_a_release_whose_api_server_has_limits_refuses_what_exceeds_them() -> None:
    rules: dict[str, Any] = {"rules": [{}] * 513}
    labels = {"selector": {"matchLabels": {"app": "a" * 63, "b": ""}}}
    assert lines("1.10", api.AuthorizationPolicy, rules) == []
    assert lines("1.30", api.AuthorizationPolicy, rules) == [
        "rules: has 513 entries; the API server accepts at most 512"
    ]
    assert lines("1.30", api.AuthorizationPolicy, labels) == []
    entry = {"address": "1.2.3.4", "serviceAccount": "a" * 254, "ports": {"http": 80}}
    assert lines("1.30", api.WorkloadEntry, entry) == [
        "serviceAccount: has 254 characters; the API server accepts at most 253"
    ]
    probe = {"httpGet": {"port": 80, "httpHeaders": [{"name": "x-a", "value": "b"}]}, "periodSeconds": 5}
    assert lines("1.30", api.WorkloadGroup, {"template": {}, "probe": probe}) == []


@pytest.mark.parametrize("name", releases.NAMES)
def test_checks_are_of_types_of_the_api(name: str) -> None:
    refused = releases.get(name).api.refused
    assert refused
    assert all(issubclass(message, api.Message) for message in refused)


def test_what_lists_of_a_definition_tell_apart_may_be_there_once() -> None:
    twice = {"url": "https://a.example/f.wasm", "match": [{"ports": [{"number": 80}, {"number": 81}, {"number": 80}]}]}
    assert lines("1.30", api.WasmPlugin, twice) == ["match[0].ports: has 80 as number 2 times"]
    variables = {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}
    found = lines("1.30", api.WasmPlugin, {"url": "https://a.example/f.wasm", "vmConfig": variables})
    assert found == ['vmConfig.env: has "A" as name 2 times']


def test_the_values_of_a_map_have_the_limits_of_their_type() -> None:
    variables = {"environmentVariables": {"A": "a" * 2048, "B": "b" * 2049}}
    assert lines("1.30", api.ProxyConfig, variables) == [
        "environmentVariables.B: has 2049 characters; the API server accepts at most 2048"
    ]
