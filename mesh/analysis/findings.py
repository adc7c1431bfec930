"""The results of the analysis: a code, its severity, the object and field, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mesh.analysis.objects import Object, Ref


class Severity(IntEnum):
    """The severity of a finding; a larger value is worse."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One mistake in one object."""

    code: str
    severity: Severity
    ref: Ref
    path: str
    """Path of the field, such as `http[0].route[0].destination.host`; empty for the object as a whole."""
    text: str
    """One line: what is wrong and what to do."""
    origin: str = ""
    """The config key that the field comes from, or its file and line; empty if unknown."""

    @property
    def rank(self) -> tuple[int, str, Ref, str, str]:
        """The key by which findings are sorted: the most severe first."""
        return -self.severity, self.code, self.ref, self.path, self.text

    def __str__(self) -> str:
        place = f" {self.path}" if self.path else ""
        origin = f" (from {self.origin})" if self.origin else ""
        return f"{self.code} {self.ref}{place}{origin}: {self.text}"


@dataclass(frozen=True, kw_only=True)
class Code:
    """A kind of finding, such as `IST0101`."""

    code: str
    name: str
    severity: Severity
    meaning: str
    """The description in docs/analysis.md."""

    def at(self, obj: Object, path: str, text: str, severity: Severity | None = None) -> Finding:
        """A finding with this code about the field `path` of an object; `severity` overrides the code's own."""
        return Finding(
            code=self.code,
            severity=severity or self.severity,
            ref=obj.ref,
            path=path,
            text=text,
            origin=obj.source(path),
        )
