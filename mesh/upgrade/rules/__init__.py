"""The rules: one for each difference between releases, which finds the places that it affects; and general ones."""

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
"""The rule that finds the affected places, by the name of the difference in `Release.differences`."""
GENERAL: Final[Sequence[Callable[[Subject], Iterator[Change]]]] = (
    *versions.RULES,
    *gone.RULES,
    *refused.RULES,
    *filters.GENERAL,
)
"""The rules that make changes without a difference, by comparing the two releases."""
