"""The fields that controllers own instead of the stack, from the table in docs/readiness.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "docs" / "readiness.md"
ROW = re.compile(r"^\| `(\w+)`( with an autoscaler)? \| `([\w.*\[\]]+)`[^|]*\|", re.MULTILINE)


@dataclass(frozen=True)
class Field:
    """A row of the table."""

    kind: str
    path: str
    """In the syntax of `kubectl get -o jsonpath`, without the first dot."""
    scaled: bool
    """Whether it applies only to objects with an autoscaler."""

    def __str__(self) -> str:
        return f"{self.kind}.{self.path}"

    def values(self, manifest: Mapping[str, Any]) -> Iterator[Any]:
        """The values of the field in an object."""
        found: Sequence[Any] = [manifest]
        for step in self.path.replace("[*]", ".*").split("."):
            found = [v for f in found for v in (f if step == "*" else [f[step]] if step in f else [])]
        yield from found


def without(manifest: Mapping[str, Any], rows: Sequence[Field]) -> Any:
    """A copy of an object without the fields of the rows."""
    found = json.loads(json.dumps(manifest))
    for row in rows:
        if row.kind == found["kind"]:
            *way, last = row.path.replace("[*]", ".*").split(".")
            places = [found]
            for step in way:
                places = [v for p in places for v in (p if step == "*" else [p[step]] if step in p else [])]
            for place in places:
                place.pop(last, None)
    return found


def fields() -> list[Field]:
    """All rows of the table."""
    found = [Field(kind, path, bool(scaled)) for kind, scaled, path in ROW.findall(TABLE.read_text())]
    assert (
        len(found) == TABLE.read_text().partition("| object | field | owner |")[2].partition("\n\n")[0].count("\n") - 1
    )
    return found
