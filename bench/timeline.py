"""When each resource of an update was made, and the chain of waits that its length comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MAKING: Final = "create"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A resource that was made."""

    urn: str
    start: float
    """Seconds since the update began; when the engine began to make it."""
    end: float
    after: frozenset[str]
    """URNs of what it waits for."""
    parent: str
    """URN."""

    @property
    def name(self) -> str:
        """Kind and name."""
        kind, _, name = self.urn.rpartition("::")
        return f"{kind.rpartition(':')[2]} {name}"

    @property
    def component(self) -> str:
        """Name of the component that it belongs to."""
        return self.parent.rpartition("::")[2]


Event = Mapping[str, Any]
"""A line of Pulumi's event log."""


def bars(events: Iterable[tuple[float, Event]], state: Mapping[str, Any]) -> Sequence[Bar]:
    """The Kubernetes objects that an update made, in the order in which they were begun. Each event comes with its
    time in seconds; `state` is the stack's deployment afterwards."""
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    first = None
    for moment, event in events:
        first = moment if first is None else first
        for name, times in (("resourcePreEvent", starts), ("resOutputsEvent", ends)):
            if event.get(name, {}).get("metadata", {}).get("op") == _MAKING:
                times.setdefault(event[name]["metadata"]["urn"], moment - first)
    made = [r for r in state.get("resources") or [] if r["urn"] in ends and r["type"].startswith("kubernetes:")]
    found = [
        Bar(
            urn=r["urn"],
            start=starts[r["urn"]],
            end=ends[r["urn"]],
            after=frozenset(r.get("dependencies") or ()),
            parent=r.get("parent", ""),
        )
        for r in made
    ]
    return sorted(found, key=lambda bar: bar.start)


def critical_path(all_bars: Sequence[Bar]) -> Sequence[Bar]:
    """From the resource that was done last, back through what each had to wait for longest; in the order of time."""
    by_urn = {bar.urn: bar for bar in all_bars}
    path: list[Bar] = []
    last = max(all_bars, key=lambda bar: bar.end, default=None)
    while last:
        path.append(last)
        before = [by_urn[urn] for urn in last.after if urn in by_urn]
        last = max(before, key=lambda bar: bar.end, default=None)
    return path[::-1]
