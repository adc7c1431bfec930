"""The rules: for each difference between releases, one that finds what it concerns; and general ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from mesh.upgrade.changes import Change
from mesh.upgrade.rules import (
    filters,
    gone,
    installation,
    proxies,
    refused,
    registry,
    routes,
    security,
    tracing,
    versions,
)
from mesh.upgrade.subject import Hit, Subject

BY_NAME: Final[Mapping[str, Callable[[Subject], Iterator[Hit]]]] = {
    **routes.RULES,
    **registry.RULES,
    **security.RULES,
    **proxies.RULES,
    **filters.RULES,
    **tracing.RULES,
    **installation.RULES,
}
"""By name of the difference in `Release.differences`, the rule that finds what it concerns."""
GENERAL: Final[Sequence[Callable[[Subject], Iterator[Change]]]] = (
    *versions.RULES,
    *gone.RULES,
    *refused.RULES,
    *filters.GENERAL,
)
"""The rules that make changes by themselves, of what the two releases know."""
