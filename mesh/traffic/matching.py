"""Conditions that select the requests of a route."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from mesh import api
from mesh.api import http_text
from mesh.api.http_match import MatchedHeader
from mesh.api.names import Label, Labels, Subnet
from mesh.api.regex import Regex
from mesh.api.scalars import PortNumber
from mesh.api.scalars import Text as NotEmpty
from mesh.core import errors
from mesh.core.typed import Documented, Findings, ShortForm

USER_HEADER: Final = "end-user"
"""Request header with the name of the signed-in user, as Istio's samples pass it on."""
Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]


class TextMatch(ShortForm):
    """A condition on a text: exactly one field."""

    short_forms = "text (`abc*`: starts with abc; `*`: any value)"

    exact: str | None = None
    """The value must equal this text."""
    prefix: str | None = None
    """The value must start with this text."""
    regex: Regex | None = None
    """The whole value must match this regular expression, in RE2 syntax."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith("*") and value != "*":
            instead = re.escape(value).replace(r"\*", ".*")
            raise ValueError(f"{errors.show(value)}: * is a wildcard only at the end; write {{ regex: {instead} }}")
        return {"prefix": value[:-1]} if value.endswith("*") else {"exact": value}

    def check(self) -> Findings:
        if len(self.model_dump(exclude_none=True)) != 1:
            yield (), "needs exactly one of exact, prefix, regex"

    def string_match(self) -> api.StringMatch:
        """The condition in Istio's API. An empty StringMatch requires only that the value exists."""
        return api.StringMatch(**{name: value for name, value in self if value is not None and value != ""})


class Match(Documented):
    """Conditions on a request. All of them must hold."""

    user: TextMatch | None = None
    """The signed-in user: the value of the header `end-user`, which Bookinfo's product page sends."""
    headers: dict[MatchedHeader, TextMatch] = {}
    """Values of request headers, by the header's name, whose case does not matter. In Istio 1.30, at gateways
    that validate tokens (`mesh:security.jwt`), `@request.auth.claims[name]` stands for a claim, and
    `@request.auth.claims[outer][inner]` for a nested one."""
    withoutHeaders: dict[MatchedHeader, TextMatch] = {}
    """Values that request headers must not have, by the header's name, whose case does not matter. A missing
    header matches, too; in Istio 1.10, only for `*`."""
    cookie: dict[NotEmpty, str] = Field(default={}, max_length=1)
    """Value of one cookie, by the cookie's name."""
    path: TextMatch | None = None
    """Path of the URL, without the query; it starts with `/`."""
    ignoreCase: bool = False
    """Whether `path` is compared without regard to case."""
    method: Method | None = None
    """HTTP method."""
    scheme: Literal["http", "https"] | None = None
    """Scheme of the URL."""
    host: TextMatch | None = None
    """Host that is requested (HTTP authority), with the port if the client sends one."""
    queryParams: dict[NotEmpty, TextMatch] = {}
    """Values of query parameters, by name; `prefix` is not possible."""
    port: PortNumber | None = None
    """Port that is requested."""
    sourceLabels: Labels = {}
    """Labels of the client workload; not for hosts at a gateway."""
    sourceNamespace: Label | None = None
    """Namespace of the client workload; not for hosts at a gateway."""
    destinationSubnets: list[Subnet] = []
    """Addresses or CIDR ranges, to one of which the client connects; only for services with protocol `TCP`."""

    def check(self) -> Findings:
        if not self.model_dump(exclude_defaults=True, exclude={"ignoreCase"}):
            yield (), "needs a condition; without one it would match every request"
        headers = {name.lower() for name in self.headers}
        if self.user and USER_HEADER in headers:
            yield ("user",), f"stands for the header {USER_HEADER}, which is also in headers"
        if self.cookie and "cookie" in headers:
            yield ("cookie",), "cannot be combined with the header cookie"
        for name in _written_twice(self.headers):
            yield ("headers", name), "is listed in another spelling, too, but the case of names does not matter"
        if self.path and (problem := _path_problem(self.path)):
            yield ("path",), problem
        if self.host and (problem := http_text.host_condition(self.host.exact or self.host.prefix or "")):
            yield ("host",), problem
        for name, value in self.cookie.items():
            if "*" in value or ";" in value:
                yield (
                    ("cookie", name),
                    f"{errors.show(value)} must be the whole value; for a part, match headers.cookie by a regex",
                )
        for name, text in self.queryParams.items():
            if text.prefix:
                yield ("queryParams", name), "cannot be a prefix; write a regex"

    def http_match(self) -> api.HTTPMatchRequest:
        """The match in Istio's API."""
        headers = {name: text.string_match() for name, text in self.headers.items()}
        if self.user:
            headers[USER_HEADER] = self.user.string_match()
        for name, value in self.cookie.items():
            headers["cookie"] = api.StringMatch(regex=f"(.*;\\s*)?{re.escape(f'{name}={value}')}(;.*)?")
        return api.HTTPMatchRequest(
            uri=self.path.string_match() if self.path else None,
            scheme=api.StringMatch(exact=self.scheme) if self.scheme else None,
            method=api.StringMatch(exact=self.method) if self.method else None,
            authority=self.host.string_match() if self.host else None,
            headers=headers or None,
            port=self.port,
            sourceLabels=self.sourceLabels or None,
            queryParams=_conditions(self.queryParams),
            ignoreUriCase=self.ignoreCase or None,
            withoutHeaders=_conditions(self.withoutHeaders),
            sourceNamespace=self.sourceNamespace,
        )


def _written_twice(names: Iterable[str]) -> Iterator[str]:
    """The names that differ from an earlier one only in upper and lower case."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            yield name
        seen.add(name.lower())


def _path_problem(text: TextMatch) -> str:
    """Why no request has the path; empty if some have."""
    if text.regex:
        return http_text.regex_condition(text.regex)
    wanted = text.exact or text.prefix or ""
    if "*" in wanted:
        return f"{errors.show(wanted)}: * is a wildcard only at the end; write a regex"
    return http_text.condition(wanted)


def _conditions(texts: Mapping[str, TextMatch]) -> dict[str, api.StringMatch] | None:
    return {name: text.string_match() for name, text in texts.items()} or None


def as_list(value: Any) -> Any:
    """Wraps a single entry in a list."""
    return [value] if isinstance(value, str | Mapping) else value


Matches = Annotated[list[Match], BeforeValidator(as_list)]
"""One match or a list of matches, any of which must hold."""
