"""Whether a request meets the conditions of a VirtualService's match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.api import regex
from mesh.requests.types import Request


def string(condition: Mapping[str, str] | None, value: str | None, ignore_case: bool = False) -> bool:
    """Whether a value, None if it is not there, meets a StringMatch; an empty one asks only that it is there."""
    if condition is None:
        return True
    if value is None:
        return False
    if not condition:
        return True
    (how, wanted) = next(iter(condition.items()))
    if how == "regex":
        return regex.matches(wanted, value)
    if ignore_case:
        wanted, value = wanted.lower(), value.lower()
    return value.startswith(wanted) if how == "prefix" else value == wanted


def request(match: Mapping[str, Any], asked: Request) -> bool:
    """Whether a request meets an HTTPMatchRequest, as far as the request itself goes."""
    plain = {
        "scheme": "https" if asked.secure else "http",
        "method": asked.method,
        "authority": asked.host,
    }
    return (
        string(match.get("uri"), asked.url_path, bool(match.get("ignoreUriCase")))
        and all(string(match.get(name), value) for name, value in plain.items())
        and match.get("port") in (None, asked.port)
        and all(string(wanted, _header(asked, name)) for name, wanted in (match.get("headers") or {}).items())
        and all(string(wanted, asked.query.get(name)) for name, wanted in (match.get("queryParams") or {}).items())
        and not any(
            string(wanted, _header(asked, name)) for name, wanted in (match.get("withoutHeaders") or {}).items()
        )
    )


def _header(asked: Request, name: str) -> str | None:
    pseudo = {":authority": asked.host, ":method": asked.method, ":path": asked.path}
    return pseudo.get(name, asked.headers.get(name.lower()))


def caller(match: Mapping[str, Any], gateway: str, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether a match is for the proxy that has the request: a gateway's (by `namespace/name`), or `mesh`."""
    if match.get("sourceNamespace") not in (None, namespace):
        return False
    places = match.get("gateways")
    if places and gateway not in places:
        return False
    return (match.get("sourceLabels") or {}).items() <= labels.items()
