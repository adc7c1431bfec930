"""A review: everything that is said of a change of one stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Severity
from mesh.analysis.suppression import Suppression
from mesh.core.names import MeshNames
from mesh.pictures import map as drawing
from mesh.pictures import model
from mesh.pictures.model import Picture
from mesh.review import requests, risks
from mesh.review.changes import OPS, Change, Item, Op, Told
from mesh.review.requests import Shift
from mesh.review.risks import Risk, Weight, presence
from mesh.review.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the stack is compared with."""

    kind: str
    """`cluster`, `recorded state` or `base branch`."""
    text: str
    """The same in a sentence, with what was and was not asked."""
    commit: str = ""
    """Of the base branch."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What is said of a change."""

    stack: str
    source: Source
    subject: Subject
    risks: Sequence[Risk]
    shifts: Sequence[Shift]
    """What becomes of requests."""
    findings: Sequence[str]
    """What analysis warns of or mentions now, and did not before."""
    refused: Sequence[str]
    """Why an `up` refuses the new objects, new or not: what analysis calls an error."""
    drift: Sequence[Change]
    """In what the cluster differs from the recorded state; nothing if it was not asked."""
    picture: Picture
    """The map, with what comes and goes marked."""

    @classmethod
    def of(
        cls,
        stack: str,
        source: Source,
        old: Iterable[Item],
        new: Iterable[Item],
        names: MeshNames,
        *,
        told: Told | None = None,
        drift: Sequence[Change] = (),
        suppressed: Sequence[Suppression] = (),
    ) -> Self:
        """The review of a change from some objects to others. The names are those of the new ones' settings."""
        old, new = list(old), list(new)
        subject = Subject.read(old, new, names, told)
        before, after = (drawing.of(mesh, f"mesh {stack}") for mesh in (subject.old, subject.new))
        known, found = (analyse(mesh.objects, mesh.names, suppressed) for mesh in (subject.old, subject.new))
        said = {replace(finding, origin="") for finding in known}
        wrong = [finding for finding in found if finding.severity is Severity.ERROR]
        rest = (finding for finding in found if finding.severity is not Severity.ERROR)
        return cls(
            stack=stack,
            source=source,
            subject=subject,
            risks=risks.find(subject),
            shifts=requests.shifts(subject),
            findings=[f"{one.severity}: {one}" for one in rest if replace(one, origin="") not in said],
            refused=[str(finding) for finding in wrong],
            drift=drift,
            picture=after if subject.first else model.change(before, after),
        )

    @property
    def counts(self) -> Mapping[Op, int]:
        """How many objects come, change and go."""
        found = Counter(change.op for change in self.subject.changes)
        return {op: found[op] for op in OPS if found[op]}

    @property
    def weights(self) -> Mapping[Weight, int]:
        """How many kinds of risks there are of each weight."""
        found = Counter(weight for weight, _ in {(risk.weight, risk.word) for risk in self.risks})
        return {weight: found[weight] for weight in reversed(Weight) if found[weight]}

    @property
    def restarts(self) -> str:
        """How many pods restart, in words; empty if none does."""
        return presence.restarted(self.subject)

    @property
    def marks(self) -> int:
        """How many parts of the map come or go."""
        boxes = sum(bool(box.state) + len(box.marks) for box in self.picture.boxes)
        return boxes + sum(bool(arrow.state) for arrow in self.picture.arrows)
