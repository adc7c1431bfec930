"""Compares the stacks of the releases, each with its own stack file and on its own embedded cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sandbox
from bench import tables, workspace
from bench.compare import say
from bench.figures import Figure, ratio
from bench.process import Run, run
from bench.sides import FIGURES as TITLES
from bench.workspace import Workspace
from commands import stackfiles
from commands.stackfiles import PROJECT

STACKS: Final = ("dev", "today")
"""The compared stacks. The others are compared with the first one."""
FIGURES: Final = ("up", "preview", "refresh", "down")
PREVIEW: Final = 1.3
"""Target for the largest ratio of another stack's no-change preview to that of the first stack."""
_DEFINITION: Final = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


@dataclass(frozen=True, kw_only=True)
class State:
    """Pulumi's state of a stack after `up`."""

    resources: int
    size: int
    """Size of the state file in bytes."""
    definitions: int
    """The part of `size` that the custom resource definitions take, in bytes."""

    @classmethod
    def of(cls, text: str) -> State:
        """The measures of a state file."""
        whole = json.loads(text)
        latest = whole["checkpoint"]["latest"]
        found, size = latest["resources"], len(json.dumps(whole, indent=4))  # as Pulumi indents it
        latest["resources"] = [one for one in found if one["type"] != _DEFINITION]
        without = len(json.dumps(whole, indent=4))
        return cls(resources=len(found), size=len(text), definitions=size - without)


@dataclass
class Results:
    """All runs by stack and figure, in the order of the rounds, and the states by stack."""

    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)

    def times(self, stack: str, figure: str) -> Figure:
        return Figure([one.seconds for one in self.runs[stack, figure]])

    def memory(self, stack: str) -> Figure:
        """The peak memory of a stack's commands, for each round."""
        rows = [[one.memory for one in self.runs[stack, figure]] for figure in FIGURES]
        return Figure([max(values) for values in zip(*rows, strict=True)])

    def data(self) -> dict[str, Any]:
        """The runs and states as data for JSON."""
        return {
            stack: {
                **{figure: [one.data() for one in self.runs[stack, figure]] for figure in FIGURES},
                "state": vars(self.states[stack]),
            }
            for stack in STACKS
        }


def measure(at: Workspace, rounds: int) -> Results:
    """Measures all stacks in turn, each on its own cluster, which is started first. Each round starts with a different
    stack."""
    contexts = {stack: stackfiles.config(stack)["mesh:context"] for stack in STACKS}
    found = Results()
    try:
        for stack in STACKS:
            run(["make", "--silent", "sandbox", f"STACK={stack}"], at.project)
        for number in range(rounds):
            shift = number % len(STACKS)
            for stack in [*STACKS[shift:], *STACKS[:shift]]:
                _cycle(at, stack, contexts[stack], number, found)
    finally:
        for context in contexts.values():
            sandbox.reset(context)
    return found


def _cycle(at: Workspace, stack: str, context: str, number: int, found: Results) -> None:
    """Measures the commands of one stack in order, from installation to removal."""
    for figure in FIGURES:
        made = run(["make", "--silent", figure, f"STACK={stack}"], at.project)
        found.runs.setdefault((stack, figure), []).append(made)
        say(f"round {number + 1}, {stack}, {figure}: {made.seconds:.2f} s")
        if figure == "up":
            file = at.folder("home") / "state" / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"
            found.states[stack] = State.of(file.read_text())
            workspace.describe(context)


def report(found: Results) -> str:
    """The report, in Markdown."""
    first, *others = STACKS
    head = [
        "",
        f"`{first}`",
        *(part for stack in others for part in (f"`{stack}`", f"`{stack}` / `{first}`", "target")),
    ]
    rows = [_row(found, figure) for figure in FIGURES]
    rows.append(_compared("peak memory", [found.memory(stack) for stack in STACKS], tables.mebibytes))
    states = [found.states[stack] for stack in STACKS]
    rows.append(_plain("resources", [str(state.resources) for state in states]))
    rows.append(_plain("state", [_megabytes(state.size) for state in states]))
    rows.append(_plain("… of it definitions", [_megabytes(state.definitions) for state in states]))
    return f"Times are medians with the smallest and largest of n rounds.\n\n{tables.table(head, rows)}\n"


def _row(found: Results, figure: str) -> list[str]:
    target = f"at most {PREVIEW:g}" if figure == "preview" else ""
    return _compared(TITLES[figure], [found.times(stack, figure) for stack in STACKS], tables.seconds, target)


def _compared(title: str, figures: Sequence[Figure], shown: Callable[[Figure], str], target: str = "") -> list[str]:
    first, *others = figures
    cells = [part for one in others for part in (shown(one), tables.times(ratio(one, first)), target)]
    return [title, shown(first), *cells]


def _plain(title: str, values: Sequence[str]) -> list[str]:
    first, *others = values
    return [title, first, *(part for one in others for part in (one, "", ""))]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"
