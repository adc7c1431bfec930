"""What a change of a mesh does to requests: both meshes answer the same samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.analysis.mesh import Mesh
from mesh.requests import samples
from mesh.requests.evaluator import Evaluator
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome, Receiver

NOBODY: Final = "nobody is there"
"""The answer where the caller is not part of the mesh."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A request that gets another answer."""

    sample: Sample
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.sample}: {self.before} → {self.after}"


def changes(old: Mesh, new: Mesh) -> Sequence[Change]:
    """The samples of both meshes that the new one answers in another way; in a fixed order. Another reason for the
    same answer is no change."""
    before, after = Evaluator(old), Evaluator(new)
    found = []
    for sample in sorted(samples.of(old) | samples.of(new)):
        was, now = answer(before, sample), answer(after, sample)
        if was.seen != now.seen:
            found.append(Change(sample=sample, before=was.text, after=now.text))
    return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What becomes of a sample, in words."""

    seen: str
    """Equal exactly if a client or a receiver sees no difference."""
    text: str
    """With reasons."""


def answer(judge: Evaluator, sample: Sample) -> Answer:
    """What a mesh answers to a sample."""
    namespace, _, name = sample.source.partition("/")
    pod = judge.mesh.workloads.named(namespace, name)
    if pod is None:
        return Answer(seen=NOBODY, text=NOBODY)
    outcome = (judge.from_outside if sample.outside else judge.from_workload)(sample.request, pod)
    return Answer(seen="; ".join(told(outcome, why=False)), text="; ".join(told(outcome)))


def told(outcome: Outcome, why: bool = True) -> Iterator[str]:
    """An outcome in words, with or without reasons."""
    if not outcome.receivers:
        code = str(outcome.status) if outcome.status else "no connection"
        yield f"{code} {outcome.location or f'({outcome.reason})' if why or outcome.location else ''}".rstrip()
        return
    refused = {(receiver.status, receiver.reason) for receiver in outcome.receivers if receiver.status != 200}
    alike = len(refused) == 1 and all(receiver.status != 200 for receiver in outcome.receivers)
    if alike:  # whose share a request would have been is all the same then
        ((status, reason),) = refused
        yield f"{status or 'no connection'}{f' ({reason})' if why else ''}"
    else:
        yield ", ".join(_receiver(receiver, why) for receiver in outcome.receivers)
    for fault in outcome.faults:
        if fault.share:
            what = f"{fault.delay} late" if fault.delay else f"end in {fault.status}"
            yield f"{_percent(fault.share)} {what}"
    if outcome.mirror and outcome.mirror.share:
        copies = _percent(outcome.mirror.share)
        yield f"copies of {copies} to {_name(outcome.mirror)}"
    if not alike:
        yield from _limits(outcome)


def _limits(outcome: Outcome) -> Iterator[str]:
    if outcome.timeout:
        yield f"at most {outcome.timeout}"
    if outcome.rule or outcome.attempts:
        yield f"{outcome.attempts} retries"


def _receiver(receiver: Receiver, why: bool) -> str:
    share = "" if receiver.share == 1 else f"{_percent(receiver.share)} "
    status = receiver.status or "no connection"
    refused = f" ({status}{f': {receiver.reason}' if why else ''})" if status != 200 else ""
    return f"{share}{_name(receiver)}{refused}"


def _name(receiver: Receiver) -> str:
    name = receiver.host.partition(".svc.")[0].rpartition(".")[0] if ".svc." in receiver.host else receiver.host
    return f"{name} {receiver.subset}".rstrip() if receiver.subset else name


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
