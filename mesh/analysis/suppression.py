"""Suppresses findings, by the stack file (`mesh:analysis.suppress`) or by an annotation of the object."""

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
"""Annotation of an object that `istioctl analyze` also reads: codes separated by commas, or `*` for all."""
CONFIG: Final = "mesh:analysis.suppress"
_CONFIG: Final = Ref(GroupKind("Stack", ""), "", "config")
"""Stands for the stack's config in a finding about the config itself."""


def _code(value: str) -> str:
    known = {**codes.CODES, **policies.POLICIES}
    if value not in known:
        raise ValueError(errors.not_one_of(value, known))
    return value


class Suppression(Documented):
    """Suppresses the findings with one code at some objects."""

    code: Annotated[str, AfterValidator(_code)]
    """The code of the findings, such as `IST0118`; docs/analysis.md and docs/policies.md list all codes."""
    object: Annotated[str, MinLen(1)]
    """The objects: `Kind namespace/name`, or `Kind name` if cluster-scoped. `*` matches any text, `?` any character."""
    reason: Annotated[str, MinLen(1)]
    """Why these findings are no problem; required."""

    def covers(self, finding: Finding) -> bool:
        """Whether it suppresses a finding."""
        return self.code == finding.code and fnmatchcase(str(finding.ref), self.object)


class Analysis(Documented):
    """Settings of the analysis."""

    suppress: tuple[Suppression, ...] = ()
    """Findings of the analysis and of policies to leave out. An entry that matches none is reported as `MESH0001`."""


def remaining(
    findings: Iterable[Finding],
    objects: Iterable[Object],
    suppressions: Sequence[Suppression],
    sought: Container[str] = codes.CODES,
) -> Iterator[Finding]:
    """The findings that neither an annotation nor an entry of the config suppresses.

    An entry that suppresses nothing is itself a finding if its code is in `sought`, the codes that were checked.
    """
    by_annotation = {obj.ref: _suppressed_codes(obj) for obj in objects if ANNOTATION in obj.annotations}
    used: set[int] = set()
    for finding in findings:
        covering = [i for i, entry in enumerate(suppressions) if entry.covers(finding)]
        used.update(covering)
        if not covering and not {finding.code, "*"} & by_annotation.get(finding.ref, set()):
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


def _suppressed_codes(obj: Object) -> set[str]:
    return {code.strip() for code in obj.annotations[ANNOTATION].split(",")}
