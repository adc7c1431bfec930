"""Settings of Python's garbage collector for a program that creates many objects and ends soon."""

from __future__ import annotations

import gc
from typing import Final

_OBJECTS: Final = 50_000
"""Allocations between two runs of the collector; Python's default is 700."""


def collect_rarely() -> None:
    """Makes the collector run rarely. Call it before the imports: each run would visit all objects that they have
    created so far."""
    gc.set_threshold(_OBJECTS)


def freeze_loaded_objects() -> None:
    """Excludes the objects that exist now (mostly those of imported modules) from all later runs."""
    if not gc.get_freeze_count():
        gc.freeze()
