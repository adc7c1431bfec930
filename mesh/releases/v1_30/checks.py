"""Checks of objects that Istio 1.30 refuses and earlier releases accept (pkg/config/validation, and the CRDs)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from mesh import api
from mesh.api.model import Kind, Message, Metadata, at_most_one
from mesh.api.names import UNIX
from mesh.core.errors import show
from mesh.core.names import WAYPOINT_LABEL
from mesh.core.typed import Findings, Path
from mesh.releases.common import checks as common

_TEMPLATES: Final = ("{*}", "{**}")
_LITERAL: Final = re.compile(r"[-a-zA-Z0-9._~%!$&'()+,;:@=]+")
_ARGUMENT: Final = r"(?:\\.|[^\\)\"])*"
_HEADER: Final = re.compile(
    rf"""(?:[^%]|%%|%[^%(]+%
    |%[^%(]*\(\ *(?:\[\ *"|[^\ \[]){_ARGUMENT}(?:"\ *,\ *"{_ARGUMENT})*(?:\)|"\ *\]\ *\))\ *%)*""",
    re.DOTALL | re.VERBOSE,
)
"""The value of a header: text, `%%`, and Envoy's variables `%NAME%`, `%NAME(text)%` and `%NAME(["text", "text"])%`."""
_IN_CONFIG_MAP: Final = "configmap://"
_CONFIG_MAP: Final = re.compile(rf"{_IN_CONFIG_MAP}(?P<namespace>[^/]+)/[^/]+(?:/.*)?", re.DOTALL)
_INTERNAL: Final = tuple(
    f"internal.istio.io/{name}" for name in ("parents", "parent-namespace", "webhook-always-reject")
)
_LONGEST_PORT: Final = 62
_OLD_API: Final = re.compile(r"(?:^|/)envoy\.(?:\w+\.)*v2(?:alpha\d*)?\.")


def _routes(route: api.HTTPRoute | api.TLSRoute | api.TCPRoute) -> Findings:
    """Weights are shares in relation to each other."""
    receivers: Sequence[api.HTTPRouteDestination | api.RouteDestination] = route.route or ()
    if len(receivers) > 1 and not any(receiver.weight for receiver in receivers):
        yield ("route",), "at least one of several destinations needs a weight"


def _operation(operation: api.Operation) -> Findings:
    for name in ("paths", "notPaths"):
        for i, path in enumerate(getattr(operation, name) or ()):
            if text := _path(path):
                yield (name, i), f"{show(path)}: {text}"


def _path(path: str) -> str:
    """The problem of a path, or of a template of one: `{*}` stands for one segment, `{**}` for all that follow."""
    segments = path.strip("/").split("/")
    is_template = any(template in path for template in _TEMPLATES)
    for i, segment in enumerate(segments):
        if segment in _TEMPLATES:
            if "{**}" in segments[:i]:
                return f"{segment} cannot follow {{**}}, which stands for all that follows"
        elif "{" in segment or "}" in segment:
            return "the only segments in braces that a path may have are {*} and {**}"
        elif is_template and not _LITERAL.fullmatch(segment):
            return f"{show(segment)} cannot be a segment of a path with {{*}} or {{**}}"
    return ""


def _headers(operations: api.HeaderOperations) -> Findings:
    for path, value in common.header_values(operations):
        if not _HEADER.fullmatch(value):
            text = 'has a % that begins no variable: write "%%", or %VARIABLE% or %VARIABLE(…)%'
            yield path, f"{show(value)} {text}"


def _port(port: api.Port) -> Findings:
    if (port.protocol or "").upper() == "THRIFT":
        yield ("protocol",), f"{show(port.protocol)} is no longer a protocol: write TCP"


def _endpoint(endpoint: api.Template) -> Findings:
    for name in endpoint.ports or ():
        if len(name) > _LONGEST_PORT:
            yield ("ports", name), f"has {len(name)} characters; the API server accepts at most {_LONGEST_PORT}"
    if (endpoint.address or "").startswith(UNIX) and endpoint.ports == {}:
        yield ("ports",), "a Unix domain socket has no ports, not even {}: leave it out"


def _entry(entry: api.ServiceEntry) -> Findings:
    if entry.resolution in (None, "NONE") and entry.endpoints == []:
        yield ("endpoints",), "need resolution STATIC or DNS, even if the list is empty: leave it out"


def _patch(patch: api.Patch) -> Findings:
    for path, name in _types(patch.value):
        if _OLD_API.search(name):
            yield (
                ("value", *path),
                f"{show(name)} is of Envoy's API v2, which Envoy no longer has: name that of v3",
            )


def _types(value: Any) -> Iterator[tuple[Path, str]]:
    """The types that parts of Envoy's configuration name, each with its path."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key == "@type" and isinstance(item, str):
            yield (key,), item
        yield from (((key, *path), name) for path, name in _types(item))


def _server_tls(tls: api.ServerTLSSettings) -> Findings:
    """There is one source of a certificate; half a pair of files is none, and is ignored."""
    sources = [name for name in ("credentialName", "credentialNames", "tlsCertificates") if getattr(tls, name)]
    if tls.mode != "ISTIO_MUTUAL" and sources and tls.serverCertificate and tls.privateKey:
        yield ("serverCertificate",), f"cannot be set together with {sources[0]}, nor can privateKey: leave them out"


def _tracing(tracing: api.Tracing) -> Findings:
    if "" in (tracing.customTags or ()):
        yield ("customTags",), "the name of a tag must not be empty"


def _token(rule: api.JWTRule) -> Findings:
    yield from at_most_one(rule, "jwksUri", "jwks_uri", "jwks")
    for name in ("jwksUri", "jwks_uri"):
        if "#" in (getattr(rule, name) or ""):
            yield (name,), f"{show(getattr(rule, name))}: a document has no part after #: leave it out"


def _providers(providers: api.DefaultProviders) -> Findings:
    if isinstance(providers.tracing, str):
        yield ("tracing",), f"expected a list, got {show(providers.tracing)}: write [{providers.tracing}]"


def _internal(body: Kind, metadata: Metadata) -> Findings:
    yield from common.dry_run(body, metadata)
    for name in _INTERNAL:
        if name in metadata.annotations:
            yield ("metadata", "annotations", name), "is for objects that istiod creates itself: leave it out"


def _certificates(rule: api.DestinationRule, metadata: Metadata) -> Findings:
    """Authorities in a ConfigMap, which must be in the rule's own namespace."""
    yield from common.exported(rule, metadata)
    policies: list[tuple[Path, api.TrafficPolicy | None]] = [(("trafficPolicy",), rule.trafficPolicy)]
    policies += [(("subsets", i, "trafficPolicy"), one.trafficPolicy) for i, one in enumerate(rule.subsets or ())]
    for path, policy in policies:
        ports = enumerate((policy.portLevelSettings if policy else None) or ())
        settings = [((), policy), *((("portLevelSettings", i), port) for i, port in ports)]
        for below, one in settings:
            name = (one.tls.credentialName if one and one.tls else None) or ""
            found = _CONFIG_MAP.fullmatch(name)
            if name.startswith(_IN_CONFIG_MAP) and (not found or found["namespace"] != metadata.namespace):
                sample = f"{_IN_CONFIG_MAP}{metadata.namespace}/{name.rpartition('/')[2] or 'authorities'}"
                text = f"{show(name)} is not a ConfigMap of the rule's own namespace: write {show(sample)}"
                yield (*path, *below, "tls", "credentialName"), text


def _entry_behind_waypoint(entry: api.ServiceEntry, metadata: Metadata) -> Findings:
    yield from common.exported(entry, metadata)
    waypoint = metadata.labels.get(WAYPOINT_LABEL) or ""
    if entry.resolution == "DYNAMIC_DNS" and entry.location == "MESH_INTERNAL" and waypoint.lower() not in ("", "none"):
        yield (
            ("location",),
            f"MESH_INTERNAL with resolution DYNAMIC_DNS has no waypoint: drop the label {WAYPOINT_LABEL}",
        )


REFUSED: Final[Mapping[type[Message], Callable[[Any], Findings]]] = {
    api.HTTPRoute: _routes,
    api.TLSRoute: _routes,
    api.TCPRoute: _routes,
    api.Operation: _operation,
    api.HeaderOperations: _headers,
    api.Port: _port,
    api.Template: _endpoint,
    api.ServiceEntry: _entry,
    api.Patch: _patch,
    api.ServerTLSSettings: _server_tls,
    api.Tracing: _tracing,
    api.JWTRule: _token,
    api.DefaultProviders: _providers,
}
"""By type, the problems of a message."""
MISPLACED: Final[Mapping[type[Kind], Callable[[Any, Metadata], Findings]]] = {
    **common.MISPLACED,
    Kind: _internal,
    api.DestinationRule: _certificates,
    api.ServiceEntry: _entry_behind_waypoint,
}
"""By kind, the problems of an object with its metadata."""
