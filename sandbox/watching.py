"""Watches collections of the API server in the background."""

import http.client
import threading
import time
from collections.abc import Iterable
from typing import Final

from sandbox.api import Endpoints

PAUSE: Final = 1.0
"""Seconds until an ended watch starts again: the API server may be restarting, or a definition may not exist yet."""


def watch(endpoints: Endpoints, paths: Iterable[str], changed: threading.Event) -> None:
    """Starts threads that set `changed` whenever an object in one of the collections may have changed."""
    for path in paths:
        threading.Thread(target=_watch, args=(endpoints, path, changed), daemon=True).start()


def _watch(endpoints: Endpoints, path: str, changed: threading.Event) -> None:
    while True:
        try:
            for _ in endpoints.watch(path):
                changed.set()
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(PAUSE)
