"""Compares how two meshes handle requests: both evaluate the same samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.analysis.mesh import Mesh
from mesh.requests import limits, samples
from mesh.requests.evaluator import Evaluator
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome, Receiver

NO_SUCH_WORKLOAD: Final = "no such workload"
"""The answer to a sample whose source workload is not part of the mesh."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A sample that the two meshes answer differently, and both answers."""

    sample: Sample
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.sample}: {self.before} → {self.after}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How two meshes answer the samples of both."""

    answers: Sequence[tuple[Sample, Answer, Answer]]
    """Every sample with the old answer and the new one."""
    missing: Sequence[str]
    """What the answers do not cover."""

    @property
    def changes(self) -> Sequence[Change]:
        """The samples that the new mesh answers differently, sorted. A different reason alone is not a change."""
        return [
            Change(sample=sample, before=was.text, after=now.text)
            for sample, was, now in self.answers
            if was.observable != now.observable
        ]


def compare(old: Mesh, new: Mesh) -> Comparison:
    """Asks both meshes the samples of both."""
    before, after = Evaluator(old), Evaluator(new)
    found = samples.between(old, new)
    answers = [(sample, answer(before, sample), answer(after, sample)) for sample in found.requests]
    return Comparison(answers=answers, missing=[*found.missing, *limits.changed(old, new)])


def changes(old: Mesh, new: Mesh) -> Sequence[Change]:
    """The samples of both meshes that the new one answers differently."""
    return compare(old, new).changes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The outcome of a sample, as text."""

    observable: str
    """The outcome without reasons. It is equal for two outcomes if neither client nor receivers see a difference."""
    text: str
    """The outcome with reasons."""
    outcome: Outcome | None = None
    """None if the sample's source is not part of the mesh."""


def answer(evaluator: Evaluator, sample: Sample) -> Answer:
    """The answer of a mesh to a sample."""
    namespace, _, name = sample.source.partition("/")
    pod = evaluator.mesh.workloads.named(namespace, name)
    if pod is None:
        return Answer(observable=NO_SUCH_WORKLOAD, text=NO_SUCH_WORKLOAD)
    outcome = (evaluator.from_outside if sample.outside else evaluator.from_workload)(sample.request, pod)
    return Answer(
        observable="; ".join(describe(outcome, reasons=False)), text="; ".join(describe(outcome)), outcome=outcome
    )


def describe(outcome: Outcome, reasons: bool = True) -> Iterator[str]:
    """The parts of an outcome as text, such as `cart v1` and `2 retries`, with reasons or without."""
    if not outcome.receivers:
        code = str(outcome.status) if outcome.status else "no connection"
        yield f"{code} {outcome.location or f'({outcome.reason})' if reasons or outcome.location else ''}".rstrip()
        return
    refused = {(receiver.status, receiver.reason) for receiver in outcome.receivers if receiver.status != 200}
    alike = len(refused) == 1 and all(receiver.status != 200 for receiver in outcome.receivers)
    if alike:  # all destinations refuse in the same way, so their shares make no difference
        ((status, reason),) = refused
        yield f"{status or 'no connection'}{f' ({reason})' if reasons else ''}"
    else:
        yield ", ".join(_receiver(receiver, reasons) for receiver in outcome.receivers)
    for fault in outcome.faults:
        if fault.share:
            what = f"{fault.delay} late" if fault.delay else f"end in {fault.status}"
            yield f"{_percent(fault.share)} {what}"
    for mirror in outcome.mirrors:
        yield f"copies of {_percent(mirror.share)} to {_name(mirror)}"
    if not alike:
        yield from _bounds(outcome)


def _bounds(outcome: Outcome) -> Iterator[str]:
    if outcome.timeout:
        yield f"at most {outcome.timeout}"
    if outcome.rule or outcome.attempts:
        yield f"{outcome.attempts} retries"


def _receiver(receiver: Receiver, reasons: bool) -> str:
    share = "" if receiver.share == 1 else f"{_percent(receiver.share)} "
    status = receiver.status or "no connection"
    refused = f" ({status}{f': {receiver.reason}' if reasons else ''})" if status != 200 else ""
    return f"{share}{_name(receiver)}{refused}"


def _name(receiver: Receiver) -> str:
    name = receiver.host.partition(".svc.")[0].rpartition(".")[0] if ".svc." in receiver.host else receiver.host
    return f"{name} {receiver.subset}".rstrip() if receiver.subset else name


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
