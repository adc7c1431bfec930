"""Checks whether the API server accepts the stack's objects: schema, admission, and fields of other managers."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.client import Answer
from commands.checks.case import Case, Level, Result
from commands.checks.dryrun import ESCALATION, Trial
from mesh.analysis.objects import Ref
from mesh.core.words import count
from mesh.patches import origins


def check(case: Case) -> Result:
    """Reports the dry runs of all objects that can be tried."""
    unknown = sorted({f"{version} {kind}" for (version, kind), known in case.kinds.items() if known is None})
    # Node ports have a check of their own.
    refused = [(t, t.refusal) for t in case.trials if t.refusal and not t.node_ports]
    total, accepted = len(case.trials), sum(t.accepted for t in case.trials)
    if unknown or refused:
        details = [f"{name}: the API server has no such kind" for name in unknown]
        for trial, answer in refused:
            details += _words(trial, answer)
            if keys := origins.keys_of(case.settings.patches, Ref.of(trial.planned.manifest)):
                details.append(f"  patched by {' and '.join(keys)}")
        return Result(Level.ERROR, f"{count(len(unknown) + len(refused), 'refusal')} of {total} objects", details)
    denied = sum(t.answer is not None and t.answer.denied for t in case.trials)
    text = f"the API server accepts {accepted} of {total} objects in a dry run"
    if denied:
        return Result(Level.WARNING, f"{text}; {denied} could not be tried for lack of permissions")
    rest = "; the others can be tried only once these exist" if accepted < total else ""
    return Result(Level.OK, text + rest)


def _words(trial: Trial, answer: Answer) -> Iterator[str]:
    for cause in trial.conflicts:
        yield f"{trial.planned}: {cause.get('field')} is set by another field manager: {cause.get('message')}"
    if trial.conflicts:
        return
    yield f"{trial.planned}: {answer.message.splitlines()[0]}"
    if ESCALATION in answer.message:
        yield "  only a user with these rights, or with `escalate` and `bind` on roles, can create such a role"
