"""A lock between processes, which the kernel releases when its holder ends."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL = 0.2
"""Seconds between two attempts to take a lock that another process holds."""


@contextmanager
def held(path: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Holds a lock on the file `path`. If another process holds it, `on_wait` is called once with a text that describes
    that process.

    The kernel releases the lock when its holder ends, even by SIGKILL, so a lock is never stale.
    """
    with path.open("a+") as file:
        notified = False
        while not _taken(file.fileno()):
            if not notified:
                file.seek(0)
                on_wait(file.read().strip() or "another process")
                notified = True
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
