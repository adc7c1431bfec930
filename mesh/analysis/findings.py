"""What analysis has found: a code, how bad it is, where it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mesh.analysis.objects import Object, Ref


class Severity(IntEnum):
    """How bad something is; the worst is the largest."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong."""

    code: str
    severity: Severity
    ref: Ref
    path: str
    """Where in the object; empty if it is the object itself."""
    text: str
    """What is wrong and what to do, in one line."""
    origin: str = ""
    """Key of the stack's config from which it comes, if that is known."""

    def __str__(self) -> str:
        place = f" {self.path}" if self.path else ""
        origin = f" (from {self.origin})" if self.origin else ""
        return f"{self.code} {self.ref}{place}{origin}: {self.text}"


@dataclass(frozen=True, kw_only=True)
class Code:
    """One thing that can be wrong."""

    code: str
    name: str
    severity: Severity
    meaning: str

    def at(self, thing: Object, path: str, text: str, severity: Severity | None = None) -> Finding:
        """The finding that an object has this, at a path below the object."""
        return Finding(
            code=self.code,
            severity=severity or self.severity,
            ref=thing.ref,
            path=path,
            text=text,
            origin=thing.source(path),
        )
