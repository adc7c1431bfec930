"""Counts the answers, and compares their shares with the configuration; for `make smoke`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

from commands.routes import Expectation
from mesh import bookinfo

DEVIATIONS: Final = 5
"""Standard deviations by which a share may differ from the expected one. Chance exceeds this once in two million
runs."""
MIN_ANSWERS: Final = 20
"""The least number of answers for which shares are judged."""
PROGRESS: Final = 5.0
"""Seconds between two lines of progress."""
THREADS: Final = 4
NO_ANSWER: Final = "no answer"
LIMITED: Final = "limited (429)"
UNRATED: Final = "without ratings"
"""Answers of v2 or v3 without the answer of ratings; v1 never calls ratings."""
CONTRADICTS: Final = "contradicts the configuration"

_RATED: Final = [version for color, version in bookinfo.STARS.items() if color]
_WHO: Final = 14
"""Width of the first column."""
_NAME: Final = 16
"""Width of the second column, which ends with the configured share."""


def gathered(ask: Callable[[int], Iterable[str]], count: int, what: str = "") -> Counter[str]:
    """The answers to `count` requests, which several threads send. Each calls `ask` with its number of requests. Prints
    the progress to standard error while answers are slow."""
    answers: list[str] = []

    def some(number: int) -> None:
        for answer in ask(number):
            answers.append(answer)

    with ThreadPoolExecutor(THREADS) as pool:
        asking = [pool.submit(some, count // THREADS) for _ in range(THREADS)]
        while wait(asking, PROGRESS).not_done:
            print(f"{len(answers)} of {count} asked{what}", file=sys.stderr, flush=True)
        for one in asking:
            one.result()
    return Counter(answers)


def judged(
    who: str, seen: Counter[str], expected: Expectation, limits: bool, name: int = _NAME
) -> Iterator[tuple[str, str]]:
    """For each answer that is configured or was seen: a problem, empty if there is none, and a line. `name` is the
    width of the column with the answers."""
    asked, limited, unrated = seen.total(), seen[LIMITED], seen[UNRATED]
    left = asked - limited
    versions = sorted({*expected.shares, *seen} - {NO_ANSWER, LIMITED, UNRATED}) + [NO_ANSWER] * (NO_ANSWER in seen)
    rows = []
    for version in versions:
        wanted = f"{expected.shares.get(version, 0.0):.0%}" if expected.shares else "any"
        good = fits(version, seen[version], left, expected, unrated if version in _RATED else 0)
        rows.append((_row(version, wanted, seen[version], left, name), "" if good else CONTRADICTS))
    if unrated:
        foreseen = not expected.shares or expected.may_fail or any(map(expected.shares.get, _RATED))
        rows.append((_row(UNRATED, "", unrated, asked, name), "" if foreseen else CONTRADICTS))
    if limited:
        foreseen = limits or expected.may_fail
        certain = expected.may_fail or (len(expected.shares) == 1 and left > 0)
        few = f"too few are left to judge: {left}" if left < MIN_ANSWERS and not certain else ""
        rows.append((_row(LIMITED, "" if foreseen else "0%", limited, asked, name), few if foreseen else CONTRADICTS))
    for number, (text, wrong) in enumerate(rows):
        yield wrong, f"{'' if number else who:<{_WHO}} {text}"


def judged_one(who: str, name: str, hits: int, count: int, share: float, width: int) -> tuple[str, str]:
    """A problem, empty if there is none, and the line for a property that any answer may have, such as a delay."""
    good = fits(name, hits, count, Expectation({name: share}))
    return "" if good else CONTRADICTS, f"{who:<{_WHO}} {_row(name, f'{share:.0%}', hits, count, width)}"


def _row(name: str, wanted: str, hits: int, count: int, width: int) -> str:
    """The configured and the actual share, such as `v1  90% configured   89.2% of 400`."""
    return f"{name:<{width - len(wanted)}}{wanted} configured {hits / max(count, 1):>7.1%} of {count}"


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
