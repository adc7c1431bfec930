"""Objects of Istio's API at the edge of what is valid: drawn ones (`generate.objects`), changed in a few places.

A change takes a value away, doubles it, moves it, or puts one of the values below in its place: for each format in the
API some that are just valid and some that are not.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Iterator
from typing import Any, NamedTuple, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from mesh.api import Kind, Message
from mesh.api.schema import bare
from mesh.core.validation import wire_name
from mesh.releases.release import Release
from tests.generate import objects

MOST = 3
"""Changes of one object."""

TEXTS = (
    *(
        "",
        " ",
        "a",
        "A",
        "-a",
        "a-",
        "a_b",
        "a b",
        "a:b",
        "a,b",
        "é",
        "1",
        "a" * 63,
        "a" * 64,
        "a" * 257,
        "a\tb",
        "a\nb",
    ),
    *("a.b", "a.", ".a", "a..b", "A.b", "a.1", "a.b.", "*", "**", "*.", "*.a", "*.*", "a.*", "*a.b", "*-a.b", "*.a_b"),
    *("*.example.org", "x.example.org", "*.x.example.org", "example.org", "a*b", "*a*", "a*", "a." * 128, "reviews"),
    *("192.0.2.7", "192.0.2", "192.0.2.256", "192.0.2.07", "::1", "[::1]", "fe80::1%eth0", "::ffff:192.0.2.7"),
    *("192.0.2.0/24", "192.0.2.7/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024", "192.0.2.0/8/8", "::/0", "::/129"),
    *("127.0.0.1:80", "0.0.0.0:80", "[::1]:80", "[::]:80", "::1:80", ":80", "127.0.0.1:0", "127.0.0.1", "192.0.2.7:80"),
    *(
        "0s",
        "1ms",
        "1ns",
        "1.5ms",
        "1500us",
        "-1s",
        "+1s",
        "1s1ms",
        "1h",
        "1h1ms",
        ".5s",
        "1.s",
        "1d",
        "1",
        "0.5s",
        "300000h",
    ),
    *(
        "ns/a",
        "ns/*",
        "ns/a.b",
        "ns/*.a.b",
        "*/*",
        "*/a.b",
        "./*",
        "./a.b",
        "~/*",
        "~ns/a.b",
        "ns/",
        "/a",
        "a/b/c",
        "/",
    ),
    *(".", "~", "mesh", "default", "unix://", "unix:///a", "unix:///a/", "unix://a", "unix://@a", "unix://@"),
    *(
        "/a",
        "/a/",
        "/a?b=c",
        "/{*}",
        "/{*}/{**}",
        "/{**}/{*}",
        "/{**}/a",
        "/{a}",
        "/a{*}",
        "/{*}/a b",
        "/{*}/a*",
        "{*}",
    ),
    *(
        "[",
        "(",
        "a{1000}",
        "a{1001}",
        "(?=a)",
        "\\1",
        "[[:foo:]]",
        "(?P<a>b)",
        "(?<a>b)",
        "x" * 1024,
        "x" * 1025,
        "\\pN",
    ),
    *(
        "%",
        "%%",
        "%A%",
        "%A",
        "%A%%",
        "%A(B)%",
        "%A(B%",
        "%A()%",
        '%A(["B"])%',
        "%A([B])%",
        "%A(B)C%",
        "100%",
        "a%b%c%",
    ),
    *(":authority", ":path", ":foo", "Host", "host", "x-a", "@request.auth.claims", "@request.auth.claims.a", "x.y!"),
    *("@request.auth.claims[a][b]", "@request.auth.claims.", "@request.auth.claims[]"),
    *(
        "HTTP",
        "http",
        "Http2",
        "HTTPS",
        "TLS",
        "TCP",
        "UDP",
        "GRPC-Web",
        "HTTP_PROXY",
        "HTTPX",
        "THRIFT",
        "MONGO",
        "HBONE",
    ),
    *(
        "GET",
        "get",
        "PATCH",
        "CONNECT",
        "POST",
        "FOO",
        "5xx",
        "5xx,reset",
        "5xx, reset",
        "5xx,",
        "503",
        "600",
        "104",
        "418",
    ),
    *("OK", "NOT_FOUND", "not_found", "0", "80", "080", "65535", "65536", "-1", "+1", "0x1"),
    *("https://a.b", "https://a.b:0/", "http://a.b:99999/x", "https://a.b/c d", "ftp://a.b", "HTTP://a.b", "https://"),
    *(
        "https:a",
        "//a.b",
        "oci://a/b:1",
        "a/b:1",
        "file:///a",
        "oci:a",
        "https://a.b:x",
        "https://[::1]/",
        "https://a%b",
    ),
    *("{}", '{"keys":[]}', '{"keys":[{}]}', '{"keys":[{"kty":"oct","k":"YQ"}]}', '{"keys":[{"kty":"RSA","e":"AQAB"}]}'),
    *('{"keys":[{"kty":"RSA","e":"AQAB","n":"AQAB"}]}', '{"keys":{}}', '{"kty":"oct","k":"YQ"}', "[]"),
    *("source.ip", "source.namespace", "destination.port", "destination.ip", "source.trustDomain", "remote.ip"),
    *("request.headers[a]", "request.headers[]", "request.headers", "request.headersa[b]", "request.auth.claims[a][b]"),
    *("destination.labels[a]", "destination.name", "source.serviceAccount", "experimental.envoy.filters.a[b]", "foo"),
    *(
        "cluster.local/ns/a/sa/b",
        "spiffe://a/b",
        "a/b/c/d",
        "configmap://a",
        "configmap://default/a",
        "configmap://x/a",
    ),
    *("kubernetes://a", "us", "us/a", "us/a/b", "us/*", "us/*/b", "us//b", "us/a*", "us/a/b/c", "outbound_.80_._.a.b"),
    *("outbound_a", "topology.kubernetes.io/region", "topology.istio.io/subzone", "b" * 254, "c" * 2049, "0" * 64),
    *(
        "envoy.filters.network.http_connection_manager",
        "envoy.filters.http.router",
        "YQ==",
        "YQ",
        "default-name",
        "x/y=z",
    ),
)
INTEGERS = (
    *(0, 1, -1, 2, 4, 7, 50, 80, 99, 100, 101, 199, 200, 299, 300, 399, 400, 599, 600, 601, 9080, 65535, 65536),
    *(5000011, 5000009, 2**31 - 1, 2**31, 2**32 - 1, 2**32, -(2**31), 2**63 - 1),
)
NUMBERS = (0.0, -0.5, 0.00005, 0.0001, 0.5, 1.0, 99.9, 100.0, 100.5, 101.0, 1e9)
METADATA: tuple[dict[str, Any], ...] = (
    *({},) * 9,
    {"name": "drawn.twice"},
    *({"annotations": {"istio.io/dry-run": value}} for value in ("true", "F", "yes")),
    {"annotations": {"internal.istio.io/parents": "a"}},
    {"labels": {"istio.io/use-waypoint": "a"}},
)
STRUCTS: tuple[dict[str, Any], ...] = (
    {},
    {"a": 1},
    {"name": "x"},
    {"typed_config": {"@type": "type.googleapis.com/unknown.Type"}},
    {"name": 1},
    {"typed_config": {"@type": "type.googleapis.com/envoy.config.filter.http.lua.v2.Lua"}},
)


class Place(NamedTuple):
    """A place in an object: the map or list, its key or index, and the type of what stands there."""

    inside: Any
    key: Any
    type: Any


def nearly_valid(kind: type[Kind], release: Release) -> st.SearchStrategy[dict[str, Any]]:
    """Manifests of `kind`, in the namespace default, that differ in a few places from one that is valid in the
    release."""

    @st.composite
    def draw_one(draw: st.DrawFn) -> dict[str, Any]:
        spec = copy.deepcopy(draw(objects(kind, release.name)).spec())
        for _ in range(draw(st.integers(0, MOST))):
            found = list(_places(kind, spec))
            if found:
                _change(draw, draw(st.sampled_from(found)), found)
        metadata = {"name": "drawn", "namespace": "default", **draw(st.sampled_from(METADATA))}
        head = {"apiVersion": release.api.stored(kind), "kind": kind.__name__}
        return {**head, "metadata": metadata, "spec": spec}

    return draw_one()


def _places(model: type[BaseModel], data: dict[str, Any]) -> Iterator[Place]:
    """The places of a message and in it, those of fields that are not set included."""
    for name, field in model.model_fields.items():
        wire = wire_name(name, field)
        yield from _below(Place(data, wire, bare(field.annotation)[0]))


def _below(place: Place) -> Iterator[Place]:
    yield place
    value = place.inside.get(place.key) if isinstance(place.inside, dict) else place.inside[place.key]
    if isinstance(value, dict) and isinstance(place.type, type) and issubclass(place.type, BaseModel):
        yield from _places(place.type, value)
    elif isinstance(value, dict | list) and get_origin(place.type) in (dict, list):
        inner = bare(get_args(place.type)[-1])[0]
        if inner is Any:
            return
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _below(Place(value, key, inner))


def _change(draw: st.DrawFn, place: Place, others: list[Place]) -> None:
    inside, key, kind = place
    there = key in inside if isinstance(inside, dict) else True
    ways = ["put", "put", "put", *(["remove", "double", "move"] if there else [])]
    match draw(st.sampled_from(ways)):
        case "remove":
            del inside[key]
        case "double" if isinstance(inside, list):
            inside.insert(key, copy.deepcopy(inside[key]))
        case "double" if isinstance(inside[key], list) and inside[key]:
            inside[key].append(copy.deepcopy(inside[key][0]))
        case "move":
            same = [other for other in others if other.type == kind and other.key in _keys(other.inside)]
            other = draw(st.sampled_from(same))
            inside[key] = copy.deepcopy(other.inside[other.key])
        case _:
            inside[key] = _edge(draw, kind, 0)


def _keys(inside: Any) -> Any:
    return inside if isinstance(inside, dict) else range(len(inside))


def _edge(draw: st.DrawFn, kind: Any, depth: int) -> Any:
    """A value of a type's form, which its rules may refuse."""
    kind = bare(kind)[0]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _edge(draw, draw(st.sampled_from([one for one in arguments if one is not type(None)])), depth)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _message(draw, kind, depth)
    if origin is list:
        return [_edge(draw, arguments[0], depth + 1) for _ in range(draw(st.integers(0, 2)))]
    if origin is dict and arguments[1] is not Any:
        keys = [
            str(draw(st.sampled_from(INTEGERS))) if bare(arguments[0])[0] is int else draw(st.sampled_from(TEXTS))
            for _ in range(draw(st.integers(0, 2)))
        ]
        return {one: _edge(draw, arguments[1], depth + 1) for one in keys}
    pools: dict[Any, Any] = {str: TEXTS, int: INTEGERS, float: NUMBERS, bool: (True, False)}
    return draw(st.sampled_from(pools.get(kind) or (STRUCTS if origin is dict else arguments)))


def _message(draw: st.DrawFn, model: type[BaseModel], depth: int) -> dict[str, Any]:
    """A message of a few fields; not more than one of a group, which is all that its own form allows."""
    found = {}
    taken = set()
    for name, field in model.model_fields.items():
        group = next((group for group in model.groups() if name in group), ()) if issubclass(model, Message) else ()
        if group in taken or not (draw(st.integers(0, 3)) == 0 or (field.is_required() and draw(st.integers(0, 9)))):
            continue
        if group:
            taken.add(group)
        if depth < 4:
            found[wire_name(name, field)] = _edge(draw, field.annotation, depth + 1)
    return found
