"""Asks the running product page, and compares which version of reviews answers with what the cluster's routes say."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urljoin

import requests

from commands import guard, routes
from commands.engine import recorded
from commands.routes import Rule
from commands.stackfiles import CommandError
from components import cluster

REQUESTS: Final = 400
OF_A_USER: Final = 40
LIMIT: Final = 20.0
"""Seconds that one answer may take."""
DEVIATIONS: Final = 5
"""Standard deviations that a share may be off: by chance once in two million runs."""
NOBODY: Final = "no answer"

_BY_COLOR: Final = {None: "v1", "black": "v2", "red": "v3"}


def run(stack: str) -> int:
    """Prints what the page says; 1 if that contradicts the routes on the cluster. CommandError if there is no page."""
    chosen = guard.chosen(stack)
    if not chosen.bookinfo:
        raise CommandError(f"stack {stack} has no Bookinfo: set mesh:bookinfo")
    url = os.environ.get("URL") or _recorded_page(stack)
    rules = routes.read(cluster.target(chosen.context), chosen.bookinfo.namespace)
    findings = [_page(url), *_split(url, None, rules.default, REQUESTS)]
    for user, rule in rules.users.items():
        findings += _split(url, user, rule, OF_A_USER)
    for good, line in findings:
        print(f"{line}{'' if good else '  <- contradicts the configuration'}")
    if rules.unread:
        print(f"not tried      {rules.unread} routes of {routes.SERVICE} with other conditions than the user")
    return 0 if all(good for good, _ in findings) else 1


def _recorded_page(stack: str) -> str:
    found = recorded(stack)
    page = str((found.outputs if found else {}).get("productPage", ""))
    if not re.fullmatch(r"https?://[^\s<>]+", page):
        raise CommandError(f"stack {stack} has no address of its page ({page or 'not installed'}); say URL=http://…")
    return page


def _page(url: str) -> tuple[bool, str]:
    began = time.monotonic()
    try:
        status = requests.get(url, timeout=LIMIT).status_code
    except requests.RequestException as error:
        raise CommandError(f"{url} does not answer: {error}") from None
    return status == 200, f"product page   {url}: {status} after {(time.monotonic() - began) * 1000:.0f} ms"


def _split(url: str, user: str | None, rule: Rule, count: int) -> Iterator[tuple[bool, str]]:
    """A line for each version that is configured or has answered."""
    seen = _observed(url, user, count)
    who = f"user {user}" if user else routes.SERVICE
    for number, version in enumerate(sorted({*rule.shares, *seen} - {NOBODY}) + [NOBODY] * (NOBODY in seen)):
        share = rule.shares.get(version, 0.0)
        wanted = "any" if not rule.shares else f"{share:.0%}"
        line = (
            f"{'' if number else who:<14} {version:<10}{wanted:>6} configured {seen[version] / count:>7.1%} of {count}"
        )
        yield fits(version, seen[version], count, rule), line


def fits(version: str, hits: int, count: int, rule: Rule) -> bool:
    """Whether `hits` of `count` answers by `version` are what the rule wants, but for chance."""
    if version == NOBODY:
        return rule.may_fail or not hits
    if not rule.shares:
        return True
    share = rule.shares.get(version, 0.0)
    if rule.may_fail:
        return hits == 0 or share > 0
    return bool(abs(hits - share * count) <= DEVIATIONS * (count * share * (1 - share)) ** 0.5)


def _observed(url: str, user: str | None, count: int) -> Counter[str]:
    def some(number: int) -> Counter[str]:
        with requests.Session() as session:
            if user:
                session.post(urljoin(url, "/login"), data={"username": user, "passwd": ""}, timeout=LIMIT)
            return Counter(_answer(session, url) for _ in range(number))

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(some, [count // 4] * 4), Counter())


def _answer(session: requests.Session, url: str) -> str:
    try:
        answer = session.get(urljoin(url, "/api/v1/products/0/reviews"), timeout=LIMIT)
        return version_of(answer.json()) if answer.ok else NOBODY
    except (requests.RequestException, ValueError):
        return NOBODY


def version_of(answer: Any) -> str:
    """Which version of reviews gave an answer: by its pod's name where it says that, else by the stars."""
    if not isinstance(answer, dict) or not answer.get("reviews"):
        return NOBODY
    if found := re.match(r"reviews-(v\w+)", str(answer.get("podname", ""))):
        return found.group(1)
    return _BY_COLOR.get((answer["reviews"][0].get("rating") or {}).get("color"), "unknown")
