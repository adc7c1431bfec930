"""Asks the running product page, and compares which version of reviews answers with what the cluster's routes say."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import FORBIDDEN, TOO_MANY_REQUESTS, UNAUTHORIZED
from typing import Any, Final
from urllib.parse import urljoin

import requests

from cluster import proxy
from cluster.target import Target
from commands import routes, stacks
from commands.engine import recorded
from commands.routes import Rule, Rules
from commands.stackfiles import CommandError
from mesh import bookinfo
from mesh.traffic.config import Traffic

REQUESTS: Final = 400
OF_A_USER: Final = 40
LIMIT: Final = 20.0
"""Seconds that one answer may take."""
DEVIATIONS: Final = 5
"""Standard deviations that a share may be off: by chance once in two million runs."""
FEWEST: Final = 20
"""Answers by fewer than that many say nothing of shares."""
PROGRESS: Final = 5.0
"""Seconds after which it is said how many requests are answered, again and again."""
NOBODY: Final = "no answer"
LIMITED: Final = "limited (429)"
UNRATED: Final = "without ratings"
"""By v2 or v3, which both say so when the ratings do not answer; v1 never asks for them."""
CONTRADICTS: Final = "contradicts the configuration"

_RATED: Final = [version for color, version in bookinfo.STARS.items() if color]


def run(stack: str) -> int:
    """Prints what the page says; 1 if that contradicts the routes on the cluster. CommandError if there is no page."""
    chosen = stacks.load(stack).settings
    if not chosen.bookinfo:
        raise CommandError(f"stack {stack} has no Bookinfo: set mesh:bookinfo")
    url = os.environ.get("URL") or _recorded_page(stack)
    with proxy.connect(Target.named(chosen.context)) as api:
        rules = routes.read(api, chosen)
    good = True
    for wrong, line in _findings(url, rules, has_limits(chosen.traffic)):
        good = good and not wrong
        print(f"{line}{f'  <- {wrong}' if wrong else ''}", flush=True)
    if rules.unread:
        print(f"not tried      {rules.unread} routes of {bookinfo.REVIEWS} with other conditions than the user")
    return 0 if good else 1


def has_limits(traffic: Traffic) -> bool:
    """Whether any service or route may answer 429 because the stack says so."""
    of_services = (service.limit for service in traffic.services.values())
    of_routes = (route.limit for entry in traffic.hosts.values() for route in entry.routes)
    return any((*of_services, *of_routes))


def _recorded_page(stack: str) -> str:
    found = recorded(stack)
    page = str((found.outputs if found else {}).get("productPage", ""))
    if not re.fullmatch(r"https?://[^\s<>]+", page):
        raise CommandError(f"stack {stack} has no address of its page ({page or 'not installed'}); say URL=http://…")
    return page


def _findings(url: str, rules: Rules, limits: bool) -> Iterator[tuple[str, str]]:
    """What is wrong, if anything, and the line that shows it; each as soon as it is known."""
    yield _page(url, limits)
    yield from judged(bookinfo.REVIEWS, _observed(url, None, REQUESTS), rules.default, limits)
    for user, rule in rules.users.items():
        yield from judged(f"user {user}", _observed(url, user, OF_A_USER), rule, limits)


def _page(url: str, limits: bool) -> tuple[str, str]:
    began = time.monotonic()
    try:
        with _session() as session:
            status = session.get(url, timeout=LIMIT).status_code
    except requests.RequestException as error:
        raise CommandError(f"{url} does not answer: {error}") from None
    good = status == 200 or (limits and status == TOO_MANY_REQUESTS)
    if status in (UNAUTHORIZED, FORBIDDEN):
        raise CommandError(f"{url} answers {status}: give a token that it accepts as TOKEN=…, or see mesh:security")
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    return "" if good else CONTRADICTS, f"product page   {url}: {status} after {took}"


def judged(who: str, seen: Counter[str], rule: Rule, limits: bool) -> Iterator[tuple[str, str]]:
    """A line for each version that is configured or has answered, and what is wrong with it, if anything."""
    asked, limited, unrated = seen.total(), seen[LIMITED], seen[UNRATED]
    left = asked - limited
    versions = sorted({*rule.shares, *seen} - {NOBODY, LIMITED, UNRATED}) + [NOBODY] * (NOBODY in seen)
    rows = []
    for version in versions:
        wanted = f"{rule.shares.get(version, 0.0):.0%}" if rule.shares else "any"
        good = fits(version, seen[version], left, rule, unrated if version in _RATED else 0)
        rows.append((_row(version, wanted, seen[version], left), "" if good else CONTRADICTS))
    if unrated:
        foreseen = not rule.shares or rule.may_fail or any(map(rule.shares.get, _RATED))
        rows.append((_row(UNRATED, "", unrated, asked), "" if foreseen else CONTRADICTS))
    if limited:
        foreseen = limits or rule.may_fail
        few = f"too few are left to judge: {left}" if left < FEWEST and not rule.may_fail else ""
        rows.append((_row(LIMITED, "" if foreseen else "0%", limited, asked), few if foreseen else CONTRADICTS))
    for number, (row, wrong) in enumerate(rows):
        yield wrong, f"{'' if number else who:<14} {row}"


def _row(name: str, wanted: str, hits: int, count: int) -> str:
    return f"{name:<{16 - len(wanted)}}{wanted} configured {hits / max(count, 1):>7.1%} of {count}"


def fits(version: str, hits: int, count: int, rule: Rule, perhaps: int = 0) -> bool:
    """Whether `hits` of `count` answers by `version` are what the rule wants, but for chance.

    `perhaps` is how many of the others may be by it too."""
    if version == NOBODY:
        return rule.may_fail or not hits
    if not rule.shares:
        return True
    share = rule.shares.get(version, 0.0)
    if rule.may_fail or count < FEWEST:
        return hits == 0 or share > 0
    wanted = share * count
    nearest = min(max(wanted, hits), hits + perhaps)
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
    """With the token of the environment's TOKEN, for a stack that asks for one."""
    session = requests.Session()
    if token := os.environ.get("TOKEN"):
        session.headers["Authorization"] = f"Bearer {token}"
    return session


def _login(session: requests.Session, url: str, user: str) -> int:
    """The HTTP code of the answer; CommandError if none comes."""
    page, data = urljoin(url, bookinfo.LOGIN_PATH), {"username": user, "passwd": ""}
    try:
        return session.post(page, data=data, timeout=LIMIT, allow_redirects=False).status_code
    except requests.RequestException as error:
        raise CommandError(f"{page} does not answer: {error}") from None


def _answer(session: requests.Session, url: str) -> str:
    try:
        answer = session.get(urljoin(url, bookinfo.REVIEWS_PATH), timeout=LIMIT)
        if answer.status_code == TOO_MANY_REQUESTS:
            return LIMITED
        return version_of(answer.json()) if answer.ok else NOBODY
    except (requests.RequestException, ValueError):
        return NOBODY


def version_of(answer: Any) -> str:
    """Which version of reviews gave an answer: by its pod's name where it says that, else by the stars.

    Not every release of the sample says its pod's name."""
    if not isinstance(answer, dict) or not answer.get("reviews"):
        return NOBODY
    if found := re.match(r"reviews-(v\w+)", str(answer.get("podname", ""))):
        return found.group(1)
    rating = answer["reviews"][0].get("rating") or {}
    return UNRATED if "error" in rating else bookinfo.STARS.get(rating.get("color"), "unknown")
