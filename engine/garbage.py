"""Python's garbage collector, told that this program makes many objects and ends soon."""

from __future__ import annotations

import gc
from typing import Final

_OBJECTS: Final = 50_000
"""New objects between two searches for garbage; Python's own number is 700."""


def search_rarely() -> None:
    """Searches for garbage seldom from now on. Python's own searches go again and again through all that the imports
    have made, so this is called before them."""
    gc.set_threshold(_OBJECTS)


def keep_what_is_loaded() -> None:
    """Leaves what the imports have made out of all later searches: it stays until the program ends."""
    if not gc.get_freeze_count():
        gc.freeze()
