"""`make smoke`: requests the product page, and compares which versions of reviews answer with the cluster's routes."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import FORBIDDEN, TOO_MANY_REQUESTS, UNAUTHORIZED
from itertools import chain
from typing import Any, Final
from urllib.parse import urljoin

import requests

from cluster import proxy
from cluster.target import Target
from commands import callers, routes, stacks
from commands.pulumi_cli import recorded_state
from commands.routes import Expectation, Expectations
from commands.stackfiles import CommandError
from mesh import bookinfo
from mesh.traffic.config import Traffic

REQUESTS: Final = 400
"""Requests without a user."""
USER_REQUESTS: Final = 40
"""Requests as each user that a route matches."""
TIMEOUT: Final = 20.0
"""Seconds to wait for one answer."""
DEVIATIONS: Final = 5
"""Standard deviations that a share may differ from the expected one; chance exceeds it once in two million runs."""
MIN_ANSWERS: Final = 20
"""Number of answers below which shares are not judged."""
PROGRESS: Final = 5.0
"""Seconds between two lines of progress."""
NO_ANSWER: Final = "no answer"
LIMITED: Final = "limited (429)"
UNRATED: Final = "without ratings"
"""Answers of v2 or v3 that say that ratings did not answer; v1 never calls ratings."""
CONTRADICTS: Final = "contradicts the configuration"

_RATED: Final = [version for color, version in bookinfo.STARS.items() if color]


def run(stack: str) -> int:
    """Prints the shares of answers. Returns 1 if they contradict the routes on the cluster, else 0. Raises CommandError
    if the page does not answer."""
    chosen = stacks.load(stack).settings
    if not chosen.bookinfo:
        raise CommandError(f"stack {stack} has no Bookinfo: set mesh:bookinfo")
    url = os.environ.get("URL") or _recorded_page(stack)
    good = True
    with proxy.connect(Target.named(chosen.context)) as api:
        expected = routes.read(api, chosen)
        of_page = _findings(url, expected, has_limits(chosen.traffic))
        for wrong, line in chain(of_page, callers.rows(api, chosen, CONTRADICTS)):
            good = good and not wrong
            print(f"{line}{f'  <- {wrong}' if wrong else ''}", flush=True)
    if expected.untested:
        print(f"not tried      {expected.untested} routes of {bookinfo.REVIEWS} with other conditions than the user")
    return 0 if good else 1


def has_limits(traffic: Traffic) -> bool:
    """Whether a service or route of the stack has a rate limit, so that requests may get status 429."""
    of_services = (service.limit for service in traffic.services.values())
    of_routes = (route.limit for entry in traffic.hosts.values() for route in entry.routes)
    return any((*of_services, *of_routes))


def _recorded_page(stack: str) -> str:
    found = recorded_state(stack)
    page = str((found.outputs if found else {}).get("productPage", ""))
    if not re.fullmatch(r"https?://[^\s<>]+", page):
        raise CommandError(f"stack {stack} has no address of its page ({page or 'not installed'}); say URL=http://…")
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
        raise CommandError(f"{url} answers {status}: give a token that it accepts as TOKEN=…, or see mesh:security")
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    return "" if good else CONTRADICTS, f"product page   {url}: {status} after {took}"


def judged(who: str, seen: Counter[str], expected: Expectation, limits: bool) -> Iterator[tuple[str, str]]:
    """A problem, empty if there is none, and a line for each version that is configured or has answered."""
    asked, limited, unrated = seen.total(), seen[LIMITED], seen[UNRATED]
    left = asked - limited
    versions = sorted({*expected.shares, *seen} - {NO_ANSWER, LIMITED, UNRATED}) + [NO_ANSWER] * (NO_ANSWER in seen)
    rows = []
    for version in versions:
        wanted = f"{expected.shares.get(version, 0.0):.0%}" if expected.shares else "any"
        good = fits(version, seen[version], left, expected, unrated if version in _RATED else 0)
        rows.append((_row(version, wanted, seen[version], left), "" if good else CONTRADICTS))
    if unrated:
        foreseen = not expected.shares or expected.may_fail or any(map(expected.shares.get, _RATED))
        rows.append((_row(UNRATED, "", unrated, asked), "" if foreseen else CONTRADICTS))
    if limited:
        foreseen = limits or expected.may_fail
        few = f"too few are left to judge: {left}" if left < MIN_ANSWERS and not expected.may_fail else ""
        rows.append((_row(LIMITED, "" if foreseen else "0%", limited, asked), few if foreseen else CONTRADICTS))
    for number, (row, wrong) in enumerate(rows):
        yield wrong, f"{'' if number else who:<14} {row}"


def _row(name: str, wanted: str, hits: int, count: int) -> str:
    return f"{name:<{16 - len(wanted)}}{wanted} configured {hits / max(count, 1):>7.1%} of {count}"


def fits(version: str, hits: int, count: int, expected: Expectation, unattributed: int = 0) -> bool:
    """Whether `hits` of `count` answers by a version agree with the expectation, within what chance allows.

    `unattributed` is the number of further answers that may come from this version."""
    if version == NO_ANSWER:
        return expected.may_fail or not hits
    if not expected.shares:
        return True
    share = expected.shares.get(version, 0.0)
    if expected.may_fail or count < MIN_ANSWERS:
        return hits == 0 or share > 0
    wanted = share * count
    nearest = min(max(wanted, hits), hits + unattributed)
    return bool(abs(nearest - wanted) <= DEVIATIONS * (count * share * (1 - share)) ** 0.5)


def _observed(url: str, user: str | None, count: int) -> Counter[str]:
    answers: list[str] = []

    def some(number: int) -> None:
        with _session() as session:
            refused = user and _login(session, url, user) == TOO_MANY_REQUESTS
            for _ in range(number):
                answers.append(LIMITED if refused else _answer(session, url))

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(some, count // 4) for _ in range(4)]
        while wait(asking, PROGRESS).not_done:
            print(f"{len(answers)} of {count} asked{f' as user {user}' if user else ''}", file=sys.stderr, flush=True)
        for one in asking:
            one.result()
    return Counter(answers)


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
