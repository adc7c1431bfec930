"""Settings of Istio's charts and IstioOperator for which there is no key, by name, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.core.typed import Path

ANY: Final = "*"
"""The step of a key that stands for any name, such as a gateway's."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a setting is refused."""

    why: str
    """The reason, without a period."""
    instead: str = ""
    """The key that does what the setting would do, such as `meshConfig.configSources`; empty if none is needed. `ANY`
    in it stands for the same step of the refused key."""

    def remedy(self, path: Sequence[str | int]) -> tuple[str, ...]:
        """The key that replaces the refused key with this path, in steps; empty if none is needed."""
        steps = self.instead.split(".") if self.instead else ()
        return tuple(str(path[i]) if step == ANY else step for i, step in enumerate(steps))


Refusals = Mapping[tuple[str, ...], Refusal]
"""Refusals by key, in steps, some of which may be `ANY`. A key stands for all that is below it, too."""


def table(release: str, *groups: Mapping[str, str]) -> Refusals:
    """The refusals of a release. A group has keys by reason, separated by spaces, each `key` or `key=instead`; a reason
    may have `{release}`."""
    return {
        tuple(key.split(".")): Refusal(why=why.replace("{release}", release), instead=instead)
        for group in groups
        for why, keys in group.items()
        for key, _, instead in (entry.partition("=") for entry in keys.split())
    }


def find(refusals: Refusals, path: Sequence[str | int]) -> Refusal | None:
    """The refusal of a key, or of one that it is below; None if it is not refused."""
    return next((found for end in range(1, len(path) + 1) if (found := _at(refusals, path[:end]))), None)


def within(refusals: Refusals, data: Any, path: Path = ()) -> Iterator[tuple[Path, Refusal]]:
    """The keys of a config that are refused, with the reason."""
    for key, value in data.items() if isinstance(data, Mapping) else ():
        here = (*path, str(key))
        if not path and not any(one[0] == key for one in refusals):
            continue  # long values, such as routes, are not searched
        if found := _at(refusals, here):
            yield here, found
        else:
            yield from within(refusals, value, here)


def _at(refusals: Refusals, path: Sequence[str | int]) -> Refusal | None:
    steps = tuple(map(str, path))
    if found := refusals.get(steps):
        return found
    return next((found for key, found in refusals.items() if ANY in key and matches(key, steps)), None)


def matches(key: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a key, some steps of which may be `ANY`, is this path."""
    return len(key) == len(path) and all(mine in (ANY, other) for mine, other in zip(key, path, strict=True))
