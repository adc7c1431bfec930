"""`make upgrade TO=…`: shows how far a stack is on the way to another release of Istio, and its next step.

Only the stack file and the state decide how far it is, so that any time may pass between two steps."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from commands import duration, meaning, pulumi_cli, report, sources, stackfiles, stacks
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from mesh.config import edits, loading, stack_file
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack
from mesh.core import words
from mesh.review.review import Review
from mesh.review.risks import availability
from mesh.upgrade.road import Mark, Move, Road, road
from mesh.upgrade.standing import Standing
from mesh.upgrade.target import GUIDE, SUPPORTED, Target, choose, distance

_SIGNS: Final = {Mark.DONE: "x", Mark.NEXT: ">", Mark.LATER: " "}
_WIDTH: Final = 100
_MOST: Final = 3
"""The most objects that a line names."""
_NO_CHANGE: Final = ("same", "read", "refresh")
"""Operations of the engine that change nothing."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user asks for."""

    to: str
    """The release to go to."""
    revision: str = ""
    """The revision of its control plane; if empty, `mesh.upgrade.target.choose` picks it."""
    namespace: str = ""
    """The namespace to move next; if empty, the first one, or all others."""
    apply: bool = False
    """Whether to write the next step into the stack file."""
    flags: Sequence[str] = ()
    """Flags for the preview."""


@dataclass(frozen=True, kw_only=True)
class _Proposal:
    """The stack file after the next step."""

    text: str
    content: Mapping[str, Any]
    """The content of the file, with the encrypted values that only its copy has."""
    stack: Stack


def run(name: str, asked: Asked) -> int:
    """Prints the stages of the upgrade and the next step, or writes that step. Raises CommandError, SettingsError,
    StackFileError, UpgradeError. Returns another exit code than 0 if the step must not be taken."""
    file = stackfiles.path(name)
    text = file.read_bytes().decode()
    now = stacks.load(name)
    target = choose(now.settings, asked.to, asked.revision)
    at = Standing.of(now.settings, stack_file.parse(text, file.name).get("config") or {}, target, asked.namespace)
    found = road(at)
    print("\n".join(_stations(name, at, found)), flush=True)
    if waiting := _waiting(name, target):
        print("\n" + "\n".join(_wrapped(waiting)), flush=True)
        return 1 if asked.apply else 0
    if not found.move:
        print("\n" + "\n".join(_wrapped(_end(name, target))))
        return 0
    if found.unmoved:
        print("\n".join(["", *_check(name, now, target)]))
    proposed = _proposal(name, text, found.move)
    print("\n".join(["", *_step(file.name, text, proposed.text, found.move)]), flush=True)
    if asked.apply:
        file.write_bytes(proposed.text.encode())
        print(f"\nwritten; next: make up{stacks.variables(name)}, then make upgrade again")
        return 0
    return _outlook(name, now, proposed, found.move, asked)


def _stations(name: str, at: Standing, found: Road) -> Iterator[str]:
    target = at.target
    yield (
        f"stack {name}: Istio {at.main.release.name}"
        + (f", revision {at.main.revision}" if at.arrived else f" to {target.release}, revision {target.revision}")
    )
    for number, one in enumerate(found.stations, 1):
        yield f"  [{_SIGNS[one.mark]}] {number} {one.name}: {one.about}"


def _waiting(name: str, target: Target) -> str:
    """Why the next step has to wait for an update; empty if it need not wait."""
    recorded = pulumi_cli.recorded_state(name)
    if recorded is None:
        raise CommandError(f"the state of stack {name} cannot be read: `pulumi stack export --stack {name}` says why")
    if not any(key.startswith("kubernetes:") for key in recorded.resources):
        return (
            "Nothing of the stack is installed yet, so there is nothing to upgrade: set mesh:release to"
            f' "{target.release}", then make up{stacks.variables(name)}'
        )
    code, events = PulumiCli(name).events()
    if code:
        said = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
        why = "\n".join(one["message"].strip() for one in said if one["severity"] == "error")
        raise CommandError(f"the stack's file cannot be previewed as it is, so there is no next step yet: {why}")
    steps = [(event.get("resourcePreEvent") or {}).get("metadata") for event in events]
    changed = [
        str(step["urn"]).rpartition("::")[2]
        for step in steps
        if step and step["op"] not in _NO_CHANGE and step["type"].startswith("kubernetes:")
    ]
    if not changed:
        return ""
    return (
        f"The stack's file is ahead of the last update: {words.count(len(changed), 'change')}"
        f" ({words.some(changed, _MOST)}). They come first: make up{stacks.variables(name)}"
    )


def _end(name: str, target: Target) -> str:
    return (
        f"There is nothing left to upgrade: {target.revision} is the stack's main control plane. To move to another"
        f" control plane of {target.release}, such as one with other settings: make upgrade{stacks.variables(name)}"
        f" TO={target.release} REVISION=<its name>"
    )


def _check(name: str, stack: Stack, target: Target) -> Iterator[str]:
    """The lines that are printed until something has moved: what changes its meaning, and a warning if the upgrade
    skips more minor releases than the Istio project supports."""
    before = stack.installation.release.name
    if before != target.release:
        yield "in this stack and on its cluster, as docs/upgrade-changes.md explains:"
        yield from (f"  {line}" for line in meaning.lines(name, stack, target))
        yield ""
    if (jump := distance(before, target.release)) > SUPPORTED:
        yield from _wrapped(
            f"The Istio project supports upgrades over at most {SUPPORTED} minor releases; {before} to"
            f" {target.release} is {jump}. It is possible, one namespace after another with a way back ({GUIDE}), but"
            " Istio's own tests do not cover it: try it on a separate cluster first."
        )


def _proposal(name: str, text: str, move: Move) -> _Proposal:
    """The stack file after a step. Raises CommandError if it would not be valid."""
    made = edits.edited(text, move.edits, stackfiles.path(name).name)
    content = stackfiles.complete(name, stack_file.parse(made, name))
    try:
        stack = loading.load(stack_file.config(content), stacks.context())
    except SettingsError as error:
        raise CommandError(
            f"step {move.name} cannot be taken yet, because the file of stack {name} would then be invalid:\n{error}"
        ) from None
    return _Proposal(text=made, content=content, stack=stack)


def _step(file: str, before: str, after: str, move: Move) -> Iterator[str]:
    yield f"next step: {move.name}"
    yield from _diff(before, after, f"a/stacks/{file}", f"b/stacks/{file}", context=1)
    if move.left_out:
        yield from ("left out:", *(f"  {line}" for line in move.left_out))


def _diff(before: str, after: str, old: str = "", new: str = "", context: int = 0) -> Iterator[str]:
    lines = before.splitlines(), after.splitlines()
    return difflib.unified_diff(*lines, old, new, n=context, lineterm="")


def _outlook(name: str, now: Stack, proposed: _Proposal, move: Move, asked: Asked) -> int:
    """Prints what the step would do, how long that takes, and how to go back."""
    config = stack_file.config(proposed.content)
    review = report.review(name, proposed.stack, sources.of_configs(name, now, proposed.stack, config))
    does = [line for step in review.steps for line in _wrapped(f"  - {step}")]
    print("\n".join(["", "does:", *does] if does else [""]))
    print("\n".join([*_risks(review), *_wrapped(_takes(review, proposed.stack)), *_wrapped(f"back: {move.back}")]))
    if move.reversible:
        text = stackfiles.path(name).read_bytes().decode()
        lines = [line for line in _diff(proposed.text, text) if not line.startswith(("---", "+++", "@@"))]
        print("\n".join(f"  {line}" for line in lines))
    print("\npreview:", flush=True)
    pulumi = PulumiCli(name, proposed.content)
    try:
        code = pulumi.run("preview", *asked.flags)
    finally:
        pulumi.file.unlink(missing_ok=True)
    if code or review.refused:
        return code or 1
    print(f"\nto take the step: make upgrade{stacks.variables(name)} {_repeated(asked)} APPLY=1")
    return 0


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _repeated(asked: Asked) -> str:
    said = {"TO": asked.to, "REVISION": asked.revision, "NAMESPACE": asked.namespace}
    return " ".join(f"{key}={value}" for key, value in said.items() if value)


def _takes(review: Review, stack: Stack) -> str:
    moved = [(one.namespace, one.name) for one in availability.restarting(review.subject)]
    return duration.line(duration.needed(stack.settings.context, moved), len(moved), stack.settings.timeout)


def _risks(review: Review) -> Iterator[str]:
    if review.refused:
        yield from ("`up` refuses it:", *(f"  {line}" for line in review.refused))
    if not review.risks:
        yield "risks: none found"
        return
    yield "risks:"
    for (weight, kind), some in groupby(review.risks, key=lambda one: (one.weight, one.name)):
        yield from _wrapped(f"  {weight}: {kind}: {words.some([str(one.object) for one in some], _MOST)}")
