"""Asking an API server: requests and answers as data, a refusal among them."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cluster.errors import NotFound, Refused, Unreachable

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"
"""Content types: of what is created, and of what is applied (JSON is YAML too)."""

BUSY: Final = 429
"""HTTP code: ask again later. So an API server answers for a kind whose definition has just come."""

TRIES: Final = 10
"""How often a busy API server is asked at most."""

_AT_ONCE: Final = 8
"""Requests under way at the same time."""

_DENIED: Final = re.compile(r'User ".*" cannot \w+ (resource|path)')


@dataclass(frozen=True)
class Request:
    """A request to the API server."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    content: str = JSON


@dataclass(frozen=True)
class Answer:
    """What came back: an object, or for an HTTP code from 400 on a `Status` that says why not."""

    code: int
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return self.code < 400

    @property
    def message(self) -> str:
        return str(self.body.get("message") or f"HTTP code {self.code}")

    @property
    def denied(self) -> bool:
        """Whether the caller lacks a right; refusals by admission have the same code, but other words."""
        return self.code == 403 and bool(_DENIED.search(self.message))

    @property
    def about(self) -> str:
        """The resource that a `Status` is about, e.g. `namespaces`."""
        return str((self.body.get("details") or {}).get("kind", ""))

    @property
    def causes(self) -> Sequence[Mapping[str, str]]:
        """The single problems of a refused object, each with `field`, `reason` and `message`."""
        causes: Sequence[Mapping[str, str]] = (self.body.get("details") or {}).get("causes") or []
        return causes


class Api(Protocol):
    """Whoever answers requests."""

    def ask(self, request: Request) -> Answer:
        """The answer; Unreachable if none comes."""


def items(api: Api, path: str) -> Sequence[Mapping[str, Any]]:
    """The objects of a collection; Refused if they may not be listed."""
    found: Sequence[Mapping[str, Any]] = get(api, path).get("items") or []
    return found


def ask_all(api: Api, requests: Sequence[Request]) -> list[Answer]:
    """The answers in the order of the requests."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(api.ask, requests))


def get(api: Api, path: str) -> Any:
    """The object at a path. NotFound if there is none, Refused if it may not be read, Unreachable without an answer."""
    return content(api.ask(Request("GET", path)))


def find(api: Api, path: str) -> Any | None:
    """The object at a path, or None where there is none."""
    try:
        return get(api, path)
    except NotFound:
        return None


def create(api: Api, path: str, body: Mapping[str, Any]) -> Any:
    """Creates an object in the collection at a path; Refused if the API server does not take it."""
    return content(api.ask(Request("POST", path, body)))


def delete(api: Api, path: str) -> None:
    """Deletes the object at a path, if it is there; Refused if that may not be done."""
    with suppress(NotFound):
        content(api.ask(Request("DELETE", path)))


def content(answer: Answer) -> Mapping[str, Any]:
    """The object that came back; NotFound or Refused if the API server refuses."""
    if answer.good:
        return answer.body
    error = NotFound if answer.code == http.client.NOT_FOUND else Refused
    raise error(answer.message)


@dataclass(frozen=True)
class HttpApi:
    """An API server behind HTTP connections: the socket of a `kubectl proxy`, or TLS with a client's certificate."""

    connect: Callable[[], http.client.HTTPConnection]
    """Makes a new connection."""

    def ask(self, request: Request) -> Answer:
        """The answer; Unreachable if none comes. A busy API server is asked again, as Kubernetes' own clients do."""
        for _ in range(TRIES):
            try:
                code, text, later = self._exchange(request)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"no answer to {request.method} {request.path}: {error}") from None
            if code != BUSY or not later.isdigit():
                break
            time.sleep(int(later))
        return _answer(code, text)

    def _exchange(self, request: Request) -> tuple[int, bytes, str]:
        """HTTP code, content, and in how many seconds to ask again."""
        body = None if request.body is None else json.dumps(request.body)
        connection = self.connect()
        try:
            connection.request(request.method, request.path, body, {"Content-Type": request.content})
            response = connection.getresponse()
            return response.status, response.read(), response.headers.get("Retry-After", "")
        finally:
            connection.close()


def _answer(code: int, text: bytes) -> Answer:
    """An API server answers in JSON, but for a path that nothing is behind. An error in plain text is that of a proxy
    in between, which could not log in to the server or not reach it."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return Answer(code, body)
    if code >= 500:
        raise Unreachable(text.decode(errors="replace").strip().partition("\n")[0])
    return Answer(code)
