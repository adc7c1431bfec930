"""The answers of stand-ins."""

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
"""A function that answers one request to a stand-in. Its arguments are the workload, the method, the path with the
query, the headers by lower-case name, and the body."""
