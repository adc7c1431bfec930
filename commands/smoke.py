"""`make smoke`: sends requests to the product page or a host, and compares the answers with the routes on the
cluster."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from http.client import FORBIDDEN, TOO_MANY_REQUESTS, UNAUTHORIZED
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests

from cluster import proxy
from cluster.client import Api
from cluster.target import Target
from commands import callers, hosts, routes, stacks
from commands import limits as trying
from commands.pulumi_cli import recorded_state
from commands.routes import Expectations
from commands.shares import CONTRADICTS, LIMITED, NO_ANSWER, UNRATED, gathered, judged
from commands.stackfiles import CommandError
from mesh import bookinfo
from mesh.config.settings import Settings
from mesh.traffic.config import Traffic

REQUESTS: Final = 400
"""Number of requests without a user."""
USER_REQUESTS: Final = 40
"""Number of requests as each user that a route matches."""
TIMEOUT: Final = 20.0
"""Seconds to wait for one answer."""


def run(stack: str) -> int:
    """Prints the shares of answers. Returns 1 if they contradict the routes on the cluster, else 0. Raises CommandError
    if nothing answers.

    If the stack has Bookinfo, and URL is empty or the URL of its page, the requests go to the page; else to the hosts
    that URL selects."""
    chosen, url = stacks.load(stack).settings, os.environ.get("URL", "")
    of_page = chosen.bookinfo is not None and (not url or urlsplit(url).path == bookinfo.PAGE_PATH)
    if url and not re.match(r"https?://[^/]", url):
        raise CommandError(f"URL is {url}, not an address such as http://shop.example.com/cart")
    good = True
    with proxy.connect(Target.named(chosen.context)) as api:
        limits = has_limits(chosen.traffic)
        found = _of_bookinfo(api, chosen, url or _recorded_page(stack), limits) if of_page else None
        for wrong, line in found or hosts.rows(api, chosen, url):
            good = good and not wrong
            print(f"{line}{f'  <- {wrong}' if wrong else ''}", flush=True)
    return 0 if good else 1


def _of_bookinfo(api: Api, chosen: Settings, url: str, limits: bool) -> Iterator[tuple[str, str]]:
    expected = routes.read(api, chosen)
    yield from _findings(url, expected, limits)
    yield from callers.rows(api, chosen, CONTRADICTS)
    if limits:
        yield from hosts.of_limits(api, chosen, urljoin(url, "/")) if trying.wanted() else [trying.UNTRIED]
    if expected.untested:
        yield "", f"not tried      {expected.untested} routes of {bookinfo.REVIEWS} with conditions other than the user"


def has_limits(traffic: Traffic) -> bool:
    """Whether a service or route of the stack has a rate limit, so that requests may get status 429."""
    of_services = (service.limit for service in traffic.services.values())
    of_routes = (route.limit for entry in traffic.hosts.values() for route in entry.routes)
    return any((*of_services, *of_routes))


def _recorded_page(stack: str) -> str:
    found = recorded_state(stack)
    page = str((found.outputs if found else {}).get("productPage", ""))
    if not re.fullmatch(r"https?://[^\s<>]+", page):
        raise CommandError(
            f"stack {stack} has no address of its product page ({page or 'not installed'}); set URL=http://…"
        )
    return page


def _findings(url: str, expected: Expectations, limits: bool) -> Iterator[tuple[str, str]]:
    """Pairs of a problem, empty if there is none, and the line that shows it; each as soon as it is known."""
    yield _page(url, limits)
    yield from judged(bookinfo.REVIEWS, _observed(url, None, REQUESTS), expected.default, limits)
    for user, expectation in expected.users.items():
        yield from judged(f"user {user}", _observed(url, user, USER_REQUESTS), expectation, limits)


def _page(url: str, limits: bool) -> tuple[str, str]:
    began = time.monotonic()
    try:
        with _session() as session:
            status = session.get(url, timeout=TIMEOUT).status_code
    except requests.RequestException as error:
        raise CommandError(f"{url} does not answer: {error}") from None
    good = status == 200 or (limits and status == TOO_MANY_REQUESTS)
    if status in (UNAUTHORIZED, FORBIDDEN):
        raise CommandError(f"{url} answers {status}: pass a token that it accepts as TOKEN=…, or check mesh:security")
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    return "" if good else CONTRADICTS, f"product page   {url}: {status} after {took}"


def _observed(url: str, user: str | None, count: int) -> Counter[str]:
    def ask(number: int) -> Iterator[str]:
        with _session() as session:
            refused = user and _login(session, url, user) == TOO_MANY_REQUESTS
            yield from (LIMITED if refused else _answer(session, url) for _ in range(number))

    return gathered(ask, count, f" as user {user}" if user else "")


def _session() -> requests.Session:
    """A session that sends the environment's TOKEN, if set, as bearer token."""
    session = requests.Session()
    if token := os.environ.get("TOKEN"):
        session.headers["Authorization"] = f"Bearer {token}"
    return session


def _login(session: requests.Session, url: str, user: str) -> int:
    """Signs in a user, and returns the status code. Raises CommandError if the page does not answer."""
    page, data = urljoin(url, bookinfo.LOGIN_PATH), {"username": user, "passwd": ""}
    try:
        return session.post(page, data=data, timeout=TIMEOUT, allow_redirects=False).status_code
    except requests.RequestException as error:
        raise CommandError(f"{page} does not answer: {error}") from None


def _answer(session: requests.Session, url: str) -> str:
    try:
        answer = session.get(urljoin(url, bookinfo.REVIEWS_PATH), timeout=TIMEOUT)
        if answer.status_code == TOO_MANY_REQUESTS:
            return LIMITED
        return version_of(answer.json()) if answer.ok else NO_ANSWER
    except (requests.RequestException, ValueError):
        return NO_ANSWER


def version_of(answer: Any) -> str:
    """The version of reviews that gave an answer: by the name of its pod, else by the color of the stars.

    Not every release of the sample returns the name of the pod."""
    if not isinstance(answer, dict) or not answer.get("reviews"):
        return NO_ANSWER
    if found := re.match(r"reviews-(v\w+)", str(answer.get("podname", ""))):
        return found.group(1)
    rating = answer["reviews"][0].get("rating") or {}
    return UNRATED if "error" in rating else bookinfo.STARS.get(rating.get("color"), "unknown")
