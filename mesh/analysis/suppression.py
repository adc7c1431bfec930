"""Findings that somebody has looked at and wants to hear no more of, with the reason."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final

from annotated_types import MinLen
from pydantic import AfterValidator

from mesh.analysis import codes, policies
from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object, Ref
from mesh.core import errors
from mesh.core.kinds import GroupKind
from mesh.core.typed import Documented

ANNOTATION: Final = "galley.istio.io/analyze-suppress"
"""Annotation of an object, as `istioctl analyze` reads it: codes with commas between them, or `*`."""
CONFIG: Final = "mesh:analysis.suppress"
_CONFIG: Final = Ref(GroupKind("Stack", ""), "", "config")
"""What stands for the config in a finding about it."""


def _code(value: str) -> str:
    known = {**codes.CODES, **policies.POLICIES}
    if value not in known:
        raise ValueError(errors.not_one_of(value, known))
    return value


class Suppression(Documented):
    """Findings to keep quiet about."""

    code: Annotated[str, AfterValidator(_code)]
    """What was found, such as `IST0118`; docs/analysis.md and docs/policies.md list the codes."""
    object: Annotated[str, MinLen(1)]
    """Where: `Kind namespace/name`, or `Kind name` for what is in no namespace; `*` and `?` stand for any text."""
    reason: Annotated[str, MinLen(1)]
    """Why it is no problem here."""

    def covers(self, finding: Finding) -> bool:
        return self.code == finding.code and fnmatchcase(str(finding.ref), self.object)


class Findings(Documented):
    """Which findings of the analysis and of policies count."""

    suppress: tuple[Suppression, ...] = ()
    """Findings that are known and meant. One that matches nothing is itself a finding."""


def remaining(
    findings: Iterable[Finding],
    objects: Iterable[Object],
    suppressions: Sequence[Suppression],
    sought: Container[str] = codes.CODES,
) -> Iterator[Finding]:
    """Findings that neither an annotation nor the config keeps quiet, and entries of the config that do nothing, of
    those about the codes that have been looked for."""
    quiet = {thing.ref: _quiet(thing) for thing in objects if ANNOTATION in thing.annotations}
    used: set[int] = set()
    for finding in findings:
        covering = [i for i, entry in enumerate(suppressions) if entry.covers(finding)]
        used.update(covering)
        if not covering and not {finding.code, "*"} & quiet.get(finding.ref, set()):
            yield finding
    for i, entry in enumerate(suppressions):
        if i not in used and entry.code in sought:
            yield Finding(
                code=codes.UNUSED_SUPPRESSION.code,
                severity=codes.UNUSED_SUPPRESSION.severity,
                ref=_CONFIG,
                path=f"{CONFIG}[{i}]",
                text=f"{entry.code} is not found at {entry.object}: leave the entry out",
            )


def _quiet(thing: Object) -> set[str]:
    return {code.strip() for code in thing.annotations[ANNOTATION].split(",")}
