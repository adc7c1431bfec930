"""Visitors of the live data plane, while something happens on the cluster."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import requests

PAUSE = 0.03
"""Seconds between an answer and the next request of a visitor."""


@contextmanager
def visited(url: str, broken: str, least: int = 1, pause: float = PAUSE) -> Iterator[Counter[object]]:
    """Two visitors who ask for a URL until the end, and at least this number of times: the number of answers by status,
    or by error. An answer with the text `broken` is one of a service that got no answer itself."""
    found: Counter[object] = Counter()
    ended = threading.Event()

    def visit() -> None:
        while not ended.is_set() or found.total() < least:
            with requests.Session() as session:
                try:
                    answer = session.get(url, timeout=20)
                    found[broken if broken in answer.text else answer.status_code] += 1
                except requests.RequestException as error:
                    found[repr(error)] += 1
            time.sleep(pause)

    with ThreadPoolExecutor(2) as pool:
        visitors = [pool.submit(visit) for _ in range(2)]
        try:
            yield found
        finally:
            ended.set()
    for one in visitors:
        one.result()
