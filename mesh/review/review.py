"""The review of a change of one stack: everything that a report contains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from mesh import releases
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Severity
from mesh.analysis.objects import Object
from mesh.analysis.suppression import Suppression
from mesh.core import disclosure, words
from mesh.core.disclosure import Disclosure
from mesh.core.names import MeshNames
from mesh.pictures import map as drawing
from mesh.pictures import model
from mesh.pictures.model import Picture
from mesh.review import requests, risks, steps
from mesh.review.changes import OPS, Change, EngineFacts, Op, StackObject
from mesh.review.requests import RequestChange
from mesh.review.risks import Risk, Weight, availability
from mesh.review.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Source:
    """The baseline of the comparison."""

    kind: str
    """`cluster`, `recorded state`, `base branch` or `files`."""
    text: str
    """A sentence about it for the report: what the stack is compared with, and whether the cluster was asked."""
    commit: str = ""
    """The commit of the base branch; empty for the other kinds."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """The results for a change of one stack."""

    stack: str
    source: Source
    subject: Subject
    risks: Sequence[Risk]
    request_changes: Sequence[RequestChange]
    """The effects on requests."""
    not_evaluated: Sequence[str]
    """What the effects on requests leave out."""
    findings: Sequence[str]
    """New warnings and infos of the analysis."""
    refused: Sequence[str]
    """All errors of the analysis, new or not. `up` refuses a stack because of them."""
    drift: Sequence[Change]
    """Differences between the cluster and the recorded state; empty if the cluster was not asked."""
    picture: Picture
    """The map of the mesh, in which added and removed parts are marked."""

    @classmethod
    def of(
        cls,
        stack: str,
        source: Source,
        old: Iterable[StackObject],
        new: Iterable[StackObject],
        names: MeshNames,
        *,
        release: str = releases.DEFAULT,
        facts: EngineFacts | None = None,
        drift: Sequence[Change] = (),
        suppressed: Sequence[Suppression] = (),
        shown: Disclosure = disclosure.DEFAULT,
        assumed: Sequence[Object] = (),
    ) -> Self:
        """Reviews the change from old to new objects. `names` and `release` are those of the new settings; `shown`
        decides which values the review shows; `assumed` are objects that count as present on both sides."""
        old, new = list(old), list(new)
        subject = Subject.read(old, new, names, facts, release, shown, assumed)
        before, after = (drawing.of(mesh, f"mesh {stack}") for mesh in (subject.old, subject.new))
        known, found = (
            analyse([*mesh.objects, *more], mesh.names, suppressed)
            for mesh, more in zip((subject.old, subject.new), subject.refused, strict=True)
        )
        unsaid = {obj.ref for obj in assumed}
        found = [finding for finding in found if finding.ref not in unsaid]
        said = {replace(finding, origin="") for finding in known}
        wrong = [finding for finding in found if finding.severity is Severity.ERROR]
        rest = (finding for finding in found if finding.severity is not Severity.ERROR)
        return cls(
            stack=stack,
            source=source,
            subject=subject,
            risks=risks.find(subject),
            request_changes=requests.changes(subject),
            not_evaluated=requests.not_evaluated(subject),
            findings=[f"{one.severity}: {one}" for one in rest if replace(one, origin="") not in said],
            refused=[str(finding) for finding in wrong],
            drift=drift,
            picture=after if subject.is_new else model.diff(before, after),
        )

    @property
    def of_files(self) -> bool:
        """Whether the review is about files that another tool applies."""
        return self.source.kind == "files"

    @property
    def title(self) -> str:
        """What the review is about."""
        return f"{'Files' if self.of_files else 'Stack'} `{self.stack}`"

    @property
    def verdict(self) -> str:
        """The consequence of the errors; empty if there are none."""
        if not self.refused:
            return ""
        return words.count(len(self.refused), "error") if self.of_files else "`up` refuses it"

    @property
    def counts(self) -> Mapping[Op, int]:
        """The number of objects for each operation that occurs."""
        found = Counter(change.op for change in self.subject.changes)
        return {op: found[op] for op in OPS if found[op]}

    @property
    def weights(self) -> Mapping[Weight, int]:
        """The number of different risks of each weight that occurs."""
        found = Counter(weight for weight, _ in {(risk.weight, risk.name) for risk in self.risks})
        return {weight: found[weight] for weight in reversed(Weight) if found[weight]}

    @property
    def restarts(self) -> str:
        """The number of pods that restart, such as `at least 2 pods`; empty if none does."""
        return availability.restarted(self.subject)

    @property
    def steps(self) -> Sequence[str]:
        """The steps of an upgrade that the change makes."""
        return steps.of(self.subject)

    @property
    def map_changes(self) -> int:
        """The number of boxes, lines and arrows of the map that are added or removed."""
        boxes = sum(bool(box.state) + len(box.line_states) for box in self.picture.boxes)
        return boxes + sum(bool(arrow.state) for arrow in self.picture.arrows)
