"""Which paths, hosts, origins and headers an HTTP request can have.

Istio accepts conditions that no request meets, and targets that no request can be sent to. Each function returns the
problem of one and the remedy, or an empty text.
"""

import re
from typing import Final
from urllib.parse import quote

from mesh.api.names import is_header
from mesh.api.regex import excludes_start, requires
from mesh.core.errors import show

REDIRECT_CODES: Final = (301, 302, 303, 307, 308)
"""The status codes with which Istio makes a redirect; it drops the action of a route with another one."""

_OUTSIDE: Final = {"?": "the query", "#": "the fragment"}
_UNSENT: Final = re.compile(r"[^!-~]")
"""Characters that a request line cannot hold: spaces, control characters and all beyond ASCII."""
_NO_HOST: Final = re.compile(r"[/*]|[^!-~]")
"""Characters that no host has."""
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def condition(text: str) -> str:
    """Why no request has a path that is, or begins with, `text`."""
    return _characters(text, "match it with queryParams") if text.startswith("/") else "must start with /"


def _characters(text: str, instead: str) -> str:
    """Why no path has `text` in it. `instead`: how a condition on the query is written."""
    for sign, name in _OUTSIDE.items():
        if sign in text:
            return (
                f"{show(text)} has {show(sign)}, but a path ends before {name}: {instead if sign == '?' else 'drop it'}"
            )
    if _UNSENT.search(text):
        return f"{show(text)} never arrives in this form, since clients encode it: write {show(_encoded(text))}"
    return ""


def _encoded(text: str) -> str:
    return quote(text, safe="/%!$&'()*+,;=:@-._~?")


def regex_condition(text: str) -> str:
    """Why no path, as a whole, matches the regular expression `text`, as far as that can be told."""
    if excludes_start(text, "/"):
        return f"{show(text)} is compared with the whole path, which starts with /: begin with /, or with .*"
    for sign, name in _OUTSIDE.items():
        if requires(text, sign):
            return f"{show(text)} requires {show(sign)}, but a path ends before {name}: leave it out"
    return ""


def pattern(text: str) -> str:
    """Why no request has a path that meets the pattern `text` of an AuthorizationPolicy."""
    if problem := star(text) or _characters(text, "drop it, since a policy does not see the query"):
        return problem
    if not text.startswith(("/", "*")):
        return f"{show(text)} matches no path, since all start with /: write {show('/' + text)}"
    return ""


def star(text: str) -> str:
    """Why a pattern of an AuthorizationPolicy matches nothing: `*` is a wildcard only at one of its ends."""
    if "*" in text.removeprefix("*") and (text.startswith("*") or "*" in text.removesuffix("*")):
        return f"{show(text)}: * is a wildcard only at the start or at the end, and not at both"
    return ""


def target(text: str) -> str:
    """Why `text` is no path to which requests can be rewritten or redirected."""
    if not text.startswith("/"):
        return f"{show(text)} must start with /; a host goes into authority"
    if "*" in text:
        return f"{show(text)}: * is no wildcard here; a rewrite of a prefix keeps the rest of the path without it"
    if "#" in text or _UNSENT.search(text):
        return f"{show(text)} cannot be sent in this form: write {show(_encoded(text.partition('#')[0]))}"
    return ""


def authority(text: str) -> str:
    """Why `text` is no host, with a port or without, to which requests can be rewritten or redirected."""
    if not _NO_HOST.search(text):
        return ""
    bare = re.sub(r"^[A-Za-z]+://", "", text).partition("/")[0].removeprefix("*.")
    sample = bare if bare and not _NO_HOST.search(bare) else "example.com"
    return f"{show(text)} is not a host, with a port or without: write one such as {show(sample)}"


def host_condition(text: str) -> str:
    """Why no request is for a host that is, or begins with, `text`."""
    if "*" in text:
        return f"{show(text)}: a host has no *; write a regex"
    return authority(text)


def origin(text: str) -> str:
    """Why no browser sends the origin `text`: a scheme and a host, with a port that is not the scheme's own."""
    if text in ("", "*", "null"):
        return ""
    if "*" in text:
        return f"{show(text)}: * is not a wildcard in an origin: write a regex"
    scheme, separator, rest = text.partition("://")
    if not separator:
        return f"{show(text)} is not an origin, which has a scheme: write {show('https://' + text.strip('/'))}"
    host = f"{scheme}://{rest.partition('/')[0]}".lower()
    sent = host.removesuffix(_DEFAULT_PORTS.get(scheme.lower(), ""))
    return "" if text == sent else f"{show(text)} is not what browsers send as the origin: write {show(sent)}"


def header(name: str) -> str:
    """Why `name` is not the name of a header; empty for pseudo-headers, which Istio's validation knows."""
    if not name or name.startswith(":") or is_header(name):
        return ""
    return f"{show(name)} is not the name of a header: use letters, digits and hyphens"


def rewritten(prefix: str, uri: str) -> str:
    """Why paths are mangled where `prefix` is replaced by `uri`: a slash too much or too few where they join."""
    if uri.endswith("/") and prefix[-1:].isalnum():
        was, sample = f"{prefix}/x", f"{uri}/x"
        way = f"match {prefix}/* and {prefix}" if uri == "/" else f"write {uri.rstrip('/')}, or match {prefix}/*"
    elif prefix.endswith("/") and uri[-1:].isalnum():
        was, sample, way = f"{prefix}x", f"{uri}x", f"write {uri}/"
    else:
        return ""
    return f"{was} becomes {sample}, since {uri} replaces only {prefix}: {way}"
