"""What Istio 1.30 added to the values and the API of the releases before it, and what it removed."""

from __future__ import annotations

from typing import Final

ADDED: Final[frozenset[str]] = frozenset({"Addons.loki"})
"""Added fields, as `mesh.releases.lacks` writes them."""
REMOVED: Final[frozenset[str]] = frozenset()
"""Removed fields."""
