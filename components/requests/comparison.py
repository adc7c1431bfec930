"""What a change of a mesh does to requests: both meshes answer the same samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from components.analysis.mesh import Mesh
from components.requests import samples
from components.requests.evaluator import Evaluator
from components.requests.samples import Sample
from components.requests.types import Outcome, Receiver

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
    """The samples of both meshes that the new one answers in another way; in a fixed order."""
    before, after = Evaluator(old), Evaluator(new)
    found = []
    for sample in sorted(samples.of(old) | samples.of(new)):
        was, now = answer(before, sample), answer(after, sample)
        if was != now:
            found.append(Change(sample=sample, before=was, after=now))
    return found


def answer(judge: Evaluator, sample: Sample) -> str:
    """What becomes of a sample, in words that are equal exactly if a client or a receiver sees no difference."""
    namespace, _, name = sample.source.partition("/")
    pod = judge.mesh.workloads.named(namespace, name)
    if pod is None:
        return NOBODY
    ask = judge.from_outside if sample.outside else judge.from_workload
    return "; ".join(told(ask(sample.request, pod)))


def told(outcome: Outcome) -> Iterator[str]:
    """An outcome in words."""
    if not outcome.receivers:
        code = str(outcome.status) if outcome.status else "no connection"
        yield f"{code} {outcome.location or f'({outcome.reason})'}"
        return
    yield ", ".join(_receiver(receiver) for receiver in outcome.receivers)
    for fault in outcome.faults:
        if fault.share:
            what = f"{fault.delay} late" if fault.delay else f"end in {fault.status}"
            yield f"{_percent(fault.share)} {what}"
    if outcome.mirror and outcome.mirror.share:
        copies = _percent(outcome.mirror.share)
        yield f"copies of {copies} to {_name(outcome.mirror)}"
    if outcome.timeout:
        yield f"at most {outcome.timeout}"
    if outcome.rule or outcome.attempts:
        yield f"{outcome.attempts} retries"


def _receiver(receiver: Receiver) -> str:
    share = "" if receiver.share == 1 else f"{_percent(receiver.share)} "
    refused = f" ({receiver.status or 'no connection'}: {receiver.reason})" if receiver.status != 200 else ""
    return f"{share}{_name(receiver)}{refused}"


def _name(receiver: Receiver) -> str:
    name = receiver.host.partition(".svc.")[0].rpartition(".")[0] if ".svc." in receiver.host else receiver.host
    return f"{name} {receiver.subset}".rstrip() if receiver.subset else name


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
