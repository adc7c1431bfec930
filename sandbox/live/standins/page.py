"""What stand-ins answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.live.plan import Workload


@dataclass(frozen=True)
class Page:
    """An HTTP answer."""

    status: int
    body: str | bytes | dict[str, object] | list[object]
    headers: Mapping[str, str] = field(default_factory=dict)


Respond = Callable[[Workload, str, str, Mapping[str, str], str], Page]
"""Answers one request to a stand-in: its workload, then method, path with the query, headers by lower-case name, body.
"""
