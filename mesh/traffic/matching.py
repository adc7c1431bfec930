"""Which requests a rule is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from mesh import api
from mesh.api.http_match import MatchedHeader
from mesh.api.names import Label, Labels
from mesh.api.regex import Regex
from mesh.api.scalars import PortNumber
from mesh.api.scalars import Text as NotEmpty
from mesh.core.typed import Documented, Findings, ShortForm

USER: Final = "end-user"
"""The header by which Bookinfo's product page says who is logged in."""

Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]


class Text(ShortForm):
    """A condition on a text: exactly one field."""

    short_forms = "text (`abc*`: what starts with abc; `*`: anything)"

    exact: str | None = None
    """The whole text."""
    prefix: str | None = None
    """What it starts with."""
    regex: Regex | None = None
    """A regular expression in RE2 syntax for the whole text."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return {"prefix": value[:-1]} if value.endswith("*") else {"exact": value}

    def check(self) -> Findings:
        if len(self.model_dump(exclude_none=True)) != 1:
            yield (), "needs exactly one of exact, prefix, regex"

    def condition(self) -> api.StringMatch:
        """As Istio has it: an empty condition asks only that something is there."""
        return api.StringMatch(**{name: value for name, value in self if value is not None and value != ""})


class Match(Documented):
    """Conditions on a request, all of which must hold."""

    user: Text | None = None
    """The user, by the header `end-user`, which Bookinfo's product page sends along."""
    headers: dict[MatchedHeader, Text] = {}
    """Headers, by name in lower case."""
    withoutHeaders: dict[MatchedHeader, Text] = {}
    """Headers that must not be so."""
    cookie: dict[NotEmpty, str] = Field(default={}, max_length=1)
    """One cookie, by name, and its value."""
    path: Text | None = None
    """The path."""
    ignoreCase: bool = False
    """Whether upper and lower case are alike in `path`."""
    method: Method | None = None
    """The method."""
    scheme: Literal["http", "https"] | None = None
    """The scheme of the address."""
    host: Text | None = None
    """The host that is asked for, with its port if the client sends one."""
    queryParams: dict[NotEmpty, Text] = {}
    """Parameters of the query, by name; no prefixes."""
    port: PortNumber | None = None
    """The port that is asked for."""
    sourceLabels: Labels = {}
    """Labels of the calling workload; not for hosts at a gateway."""
    sourceNamespace: Label | None = None
    """Namespace of the calling workload; not for hosts at a gateway."""

    def check(self) -> Findings:
        if not self.model_dump(exclude_defaults=True, exclude={"ignoreCase"}):
            yield (), "needs a condition; without one it would match every request"
        if self.user and USER in self.headers:
            yield ("user",), f"stands for the header {USER}, which is also in headers"
        if self.cookie and "cookie" in self.headers:
            yield ("cookie",), "cannot stand beside the header cookie"
        if self.path and not (self.path.regex or (self.path.exact or self.path.prefix or "").startswith("/")):
            yield ("path",), "must start with /"
        for name, text in self.queryParams.items():
            if text.prefix:
                yield ("queryParams", name), "cannot be a prefix; write a regex"

    def request(self) -> api.HTTPMatchRequest:
        """As Istio has it."""
        headers = {name: text.condition() for name, text in self.headers.items()}
        if self.user:
            headers[USER] = self.user.condition()
        for name, value in self.cookie.items():
            headers["cookie"] = api.StringMatch(regex=f"(.*;\\s*)?{re.escape(f'{name}={value}')}(;.*)?")
        return api.HTTPMatchRequest(
            uri=self.path.condition() if self.path else None,
            scheme=api.StringMatch(exact=self.scheme) if self.scheme else None,
            method=api.StringMatch(exact=self.method) if self.method else None,
            authority=self.host.condition() if self.host else None,
            headers=headers or None,
            port=self.port,
            sourceLabels=self.sourceLabels or None,
            queryParams=_conditions(self.queryParams),
            ignoreUriCase=self.ignoreCase or None,
            withoutHeaders=_conditions(self.withoutHeaders),
            sourceNamespace=self.sourceNamespace,
        )


def _conditions(texts: Mapping[str, Text]) -> dict[str, api.StringMatch] | None:
    return {name: text.condition() for name, text in texts.items()} or None


def listed(value: Any) -> Any:
    """A list of one for what stands alone."""
    return [value] if isinstance(value, str | Mapping) else value


Matches = Annotated[list[Match], BeforeValidator(listed)]
"""Conditions, any of which may hold."""
