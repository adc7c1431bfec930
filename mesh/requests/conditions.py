"""Conditions of an HTTPMatchRequest: whether a request meets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.analysis.virtual_services import MESH
from mesh.api.http_match import claim_path
from mesh.api.names import covers
from mesh.releases.release import Requests
from mesh.requests.texts import Text, claim_name
from mesh.requests.types import Request


def string_matches(condition: Mapping[str, str] | None, value: str | None, ignore_case: bool = False) -> bool:
    """Whether a value meets a StringMatch. An empty StringMatch requires only a value other than None; no StringMatch
    at all requires nothing."""
    return condition is None or Text.of_string_match(condition, ignore_case).matches(value)


def request_matches(match: Mapping[str, Any], request: Request, treated: Requests) -> bool:
    """Whether a request meets the conditions of an HTTPMatchRequest on the request itself. If its connection is routed
    as a whole, the conditions are those of a TLSMatchAttributes or L4MatchAttributes."""
    plain = {
        "scheme": request.scheme,
        "method": request.method,
        "authority": request.authority,
    }
    return (
        string_matches(match.get("uri"), request.url_path, bool(match.get("ignoreUriCase")))
        and all(string_matches(match.get(name), value) for name, value in plain.items())
        and match.get("port") in (None, request.port)
        and any(covers(name, request.host.lower()) for name in match.get("sniHosts") or ("*",))
        and all(string_matches(wanted, _header(request, name)) for name, wanted in (match.get("headers") or {}).items())
        and all(
            string_matches(wanted, request.query.get(name)) for name, wanted in (match.get("queryParams") or {}).items()
        )
        and all(
            _lacks(request, name, unwanted, treated) for name, unwanted in (match.get("withoutHeaders") or {}).items()
        )
    )


def _lacks(request: Request, name: str, unwanted: Mapping[str, str], treated: Requests) -> bool:
    """Whether a request meets a condition of `withoutHeaders`."""
    value = _header(request, name)
    if value is None and unwanted and not claim_path(name):
        return treated.missing_is_empty and not string_matches(unwanted, "")
    return not string_matches(unwanted, value)


def _header(request: Request, name: str) -> str | None:
    """The value of a header, or of the claim that the name stands for. Case of names does not count, as in Envoy."""
    if path := claim_path(name):
        return request.claim(claim_name(path))
    name = name.lower()
    pseudo = {":authority": request.authority, ":method": request.method, ":path": request.path}
    return pseudo.get(name, request.header(name))


def proxy_matches(match: Mapping[str, Any], gateway: str, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether an HTTPMatchRequest applies to a proxy with this namespace and these labels. `gateway`: `namespace/name`
    of the Gateway that the proxy implements, or `mesh` for a sidecar.

    The address to which a client connects is unknown. For sidecars, a match on it counts as not met; gateways ignore
    it.
    """
    if match.get("destinationSubnets") and gateway == MESH:
        return False
    if match.get("sourceNamespace") not in (None, namespace):
        return False
    gateways = match.get("gateways")
    if gateways and gateway not in gateways:
        return False
    return (match.get("sourceLabels") or {}).items() <= labels.items()
