"""A small client of the Kubernetes API: requests and responses as data, and the errors that a response can mean."""

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
"""Content types of objects to create, and of objects to apply server-side (JSON is valid YAML)."""

TOO_MANY_REQUESTS: Final = 429
"""HTTP code 429, "Too Many Requests". An API server also returns it for a kind whose definition it has only just
established."""

MAX_ATTEMPTS: Final = 10
"""Attempts at a request to an API server that answers 429."""

_CONCURRENT: Final = 8
"""Requests that `ask_all` sends at the same time."""

_DENIED: Final = re.compile(r'User ".*" cannot \w+ (resource|path)')


@dataclass(frozen=True)
class Request:
    """A request to the API server."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    content_type: str = JSON


@dataclass(frozen=True)
class Answer:
    """The API server's response: an object, or from HTTP code 400 on a `Status` with the reason for the refusal."""

    code: int
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.code < 400

    @property
    def message(self) -> str:
        return str(self.body.get("message") or f"HTTP code {self.code}")

    @property
    def denied(self) -> bool:
        """Whether RBAC denies the request. Admission controllers also refuse with 403, so the message decides."""
        return self.code == 403 and bool(_DENIED.search(self.message))

    @property
    def resource(self) -> str:
        """The resource type that a `Status` is about, e.g. `namespaces`; empty if it names none."""
        return str((self.body.get("details") or {}).get("kind", ""))

    @property
    def causes(self) -> Sequence[Mapping[str, str]]:
        """The invalid fields of a refused object, each with `field`, `reason` and `message`."""
        causes: Sequence[Mapping[str, str]] = (self.body.get("details") or {}).get("causes") or []
        return causes


class Api(Protocol):
    """An API server, or a fake one in tests."""

    def ask(self, request: Request) -> Answer:
        """Sends a request and returns the answer. Raises Unreachable if there is none."""


def items(api: Api, path: str) -> Sequence[Mapping[str, Any]]:
    """The objects of the collection at a path. Raises Refused if they may not be listed."""
    found: Sequence[Mapping[str, Any]] = get(api, path).get("items") or []
    return found


def ask_all(api: Api, requests: Sequence[Request]) -> list[Answer]:
    """Sends requests concurrently and returns the answers in the order of the requests."""
    with ThreadPoolExecutor(_CONCURRENT) as pool:
        return list(pool.map(api.ask, requests))


def get(api: Api, path: str) -> Any:
    """The object at a path. Raises NotFound, Refused if it may not be read, or Unreachable without an answer."""
    return object_in(api.ask(Request("GET", path)))


def find(api: Api, path: str) -> Any | None:
    """The object at a path, or None if it does not exist."""
    try:
        return get(api, path)
    except NotFound:
        return None


def create(api: Api, path: str, body: Mapping[str, Any]) -> Any:
    """Creates an object in the collection at a path. Raises Refused if the API server rejects it."""
    return object_in(api.ask(Request("POST", path, body)))


def delete(api: Api, path: str) -> None:
    """Deletes the object at a path if it exists. Raises Refused if it may not be deleted."""
    with suppress(NotFound):
        object_in(api.ask(Request("DELETE", path)))


def object_in(answer: Answer) -> Mapping[str, Any]:
    """The object in a response. Raises NotFound or Refused if the response is an error."""
    if answer.ok:
        return answer.body
    error = NotFound if answer.code == http.client.NOT_FOUND else Refused
    raise error(answer.message)


@dataclass(frozen=True)
class HttpApi:
    """An API server reached through the socket of a `kubectl proxy`, or by TLS with a client certificate."""

    connect: Callable[[], http.client.HTTPConnection]
    """Opens a new connection; each request uses its own."""

    def ask(self, request: Request) -> Answer:
        """Sends a request and returns the answer. Raises Unreachable if there is none.

        A request that is answered with 429 and `Retry-After` is sent again, as Kubernetes' own clients do."""
        for _ in range(MAX_ATTEMPTS):
            try:
                code, text, retry_after = self._exchange(request)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"no answer to {request.method} {request.path}: {error}") from None
            if code != TOO_MANY_REQUESTS or not retry_after.isdigit():
                break
            time.sleep(int(retry_after))
        return _answer(code, text)

    def _exchange(self, request: Request) -> tuple[int, bytes, str]:
        """HTTP code, body, and the header `Retry-After` (empty without it)."""
        body = None if request.body is None else json.dumps(request.body)
        connection = self.connect()
        try:
            connection.request(request.method, request.path, body, {"Content-Type": request.content_type})
            response = connection.getresponse()
            return response.status, response.read(), response.headers.get("Retry-After", "")
        finally:
            connection.close()


def _answer(code: int, text: bytes) -> Answer:
    """The response as data. An API server answers in JSON, except for paths that it does not serve.

    Raises Unreachable for a server error in plain text: it comes from a proxy in between, which could not reach the
    API server or could not log in to it."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return Answer(code, body)
    if code >= 500:
        raise Unreachable(text.decode(errors="replace").strip().partition("\n")[0])
    return Answer(code)
