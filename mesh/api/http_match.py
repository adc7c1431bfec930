"""Match conditions on HTTP requests, and operations on headers."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from mesh.api.common import StringMatch
from mesh.api.model import Findings, Message, Path, optional
from mesh.api.names import GatewayName, Label, Labels, is_header
from mesh.api.scalars import PortNumber
from mesh.core.errors import show

__all__ = ["HTTPMatchRequest", "HeaderOperations", "Headers"]

_UNSENT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CLAIM = re.compile(r"@request\.auth\.claims(?:\.(?P<dotted>.+)|\[(?P<bracketed>.+)\])", re.IGNORECASE)
_PSEUDO_HEADERS = (":authority", ":method", ":path", ":scheme", ":status")


def claim_path(name: str) -> list[str]:
    """The claim of the request's JWT that a header's name stands for, as names from the outermost to the innermost:
    `@request.auth.claims.name`, `.outer.inner`, `[name]` or `[outer][inner]`. Empty if it stands for no claim."""
    found = _CLAIM.fullmatch(name)
    if not found:
        return []
    return found["dotted"].split(".") if found["dotted"] else found["bracketed"].split("][")


def is_claim(name: str) -> bool:
    """Whether the name of a header in a condition stands for a claim of the request's JWT."""
    return bool(claim_path(name))


def _matched_header(name: str) -> str:
    if not is_header(name) and name not in _PSEUDO_HEADERS and not is_claim(name):
        raise ValueError(f"{show(name)} is not the name of a header")
    return name


MatchedHeader = Annotated[str, AfterValidator(_matched_header)]


class HTTPMatchRequest(Message):
    """Match conditions on an HTTP request, all of which must hold."""

    name: str | None = optional("Name of the match; access logs show it after the route's name.")
    uri: StringMatch | None = optional("Condition on the path, query included; see ignoreUriCase.")
    scheme: StringMatch | None = optional("Condition on the URI's scheme, such as https.")
    method: StringMatch | None = optional("Condition on the method, such as GET.")
    authority: StringMatch | None = optional("Condition on the Host header, or HTTP/2's :authority.")
    headers: dict[MatchedHeader, StringMatch] | None = optional(
        "Conditions on headers, by lower-case name; an empty condition asks only that the header is there."
    )
    port: PortNumber | None = optional("Port that the request is addressed to.")
    sourceLabels: Labels | None = optional("Labels of the workload that calls; for sidecars, not for gateways.")
    gateways: list[GatewayName] | None = optional("Gateways of this match, in place of the VirtualService's.")
    queryParams: dict[str, StringMatch] | None = optional(
        "Conditions on parameters of the query, by name; exact and regex only."
    )
    ignoreUriCase: bool | None = optional("Whether upper and lower case are alike in an exact or prefix uri.")
    withoutHeaders: dict[MatchedHeader, StringMatch] | None = optional(
        "Conditions on headers, by lower-case name, that must not hold."
    )
    sourceNamespace: Label | None = optional("Namespace of the workload that calls; for sidecars only.")
    statPrefix: str | None = optional("Prefix of statistics about the requests that match; none if not set.")

    def conditions(self) -> Iterator[tuple[Path, StringMatch]]:
        """Yields each string condition and its path, such as `("headers", "x-id")`."""
        for name in ("uri", "scheme", "method", "authority"):
            if self.is_set(name):
                yield (name,), getattr(self, name)
        for name in ("headers", "queryParams", "withoutHeaders"):
            for key, condition in (getattr(self, name) or {}).items():
                yield (name, key), condition

    def check(self) -> Findings:
        for path, condition in self.conditions():
            if condition.prefix == "" and path != ("uri",):
                yield (*path, "prefix"), "must not be empty; leave the condition empty to ask for presence"
            empty = not any(map(condition.is_set, condition.one_of))
            if empty and path[0] in ("headers", "withoutHeaders") and is_claim(str(path[1])):
                # istiod makes a condition of it that Envoy refuses, with all routes of the gateway
                yield path, 'only asks whether the claim exists, which proxies refuse: write {"regex": ".+"}'


class HeaderOperations(Message):
    """Operations on the headers of a request or response. Values may use Envoy's variables, such as %HOSTNAME%."""

    set: dict[str, str] | None = optional("Headers that get these values in place of their own.")
    add: dict[str, str] | None = optional("Values that are added to the headers' own.")
    remove: list[str] | None = optional("Names of headers that are taken away.")

    def check(self) -> Findings:
        for operation in ("set", "add"):
            for name, value in (getattr(self, operation) or {}).items():
                if _UNSENT.search(value):
                    yield (operation, name), f"{show(value)} has a line break or another control character"


class Headers(Message):
    """Operations on the headers of requests and of their responses."""

    request: HeaderOperations | None = optional("Changes before a request is passed on.")
    response: HeaderOperations | None = optional("Changes before a response is returned.")

    def check_reserved(self, *allowed: str) -> Findings:
        """Refuses operations on `Host` and pseudo-headers; on requests, those in `allowed` may be set or added."""
        for direction in ("request", "response"):
            operations: HeaderOperations | None = getattr(self, direction)
            for operation in ("set", "add", "remove") if operations else ():
                exempt = allowed if direction == "request" and operation != "remove" else ()
                for name in getattr(operations, operation) or ():
                    if name == "":
                        yield (direction, operation), "the name of a header must not be empty"
                    elif (name.startswith(":") or name.lower() == "host") and name.lower() not in exempt:
                        yield (direction, operation), f"the header {show(name)} cannot be changed here"
