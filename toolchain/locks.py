"""A lock between processes that ends with its holder, however that ends."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL = 0.2
"""Seconds between two tries to take a lock that someone else holds."""


@contextmanager
def held(path: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of the file `path`; `waiting` is told once whom it has to wait for.

    The kernel releases the lock when the holder ends, also by SIGKILL: there is never a stale one.
    """
    with path.open("a+") as file:
        told = False
        while not _taken(file.fileno()):
            if not told:
                file.seek(0)
                waiting(file.read().strip() or "another process")
                told = True
            time.sleep(POLL)
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}")
        file.flush()
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
