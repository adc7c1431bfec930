"""The mesh's parts.

Python searches for garbage every 700 new objects, again and again among all that the imports have made, and the program
ends soon: it is told to wait for more, before it loads anything.
"""

import gc
from typing import Final

_OBJECTS: Final = 50_000
"""New objects between two searches."""

gc.set_threshold(_OBJECTS)
