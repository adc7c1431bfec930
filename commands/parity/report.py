"""`make parity`: prints how a stack differs from another installation of Istio."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cluster import proxy
from cluster.errors import ClusterError
from cluster.target import Target
from commands import pulumi_cli, stacks
from commands.parity import intended, sources, versions
from commands.parity.compare import Difference, differences
from commands.parity.normal import Amount
from commands.stackfiles import CommandError
from mesh import releases
from mesh.analysis.objects import Ref
from mesh.core import disclosure
from mesh.core.diff import ABSENT
from mesh.core.disclosure import Disclosure
from mesh.core.words import count

WIDTH: Final = 70
"""The most characters of a value that are printed."""


def run(stack: str, source: str) -> int:
    """Compares the stack with a file, a folder or a kubeconfig context (the stack's own if `source` is empty), and
    prints the differences. Returns 0 if all of them are intended, else 1."""
    chosen = stacks.load(stack)
    ours = sources.of_stack(stack, chosen)
    if source and Path(source).exists():
        theirs, name = sources.of_files(source), source
    else:
        at = _target(source, chosen.settings.context)
        name = f"context {at.context}, server {at.server}"
        with proxy.connect(at) as api:
            theirs = sources.of_cluster(api, ours.plan)
    found = differences(theirs, ours.beside(theirs), ours.patches, ours.patched)
    if said := headline(versions.of(theirs), chosen.installation.release.version):
        print(said)
    print(f"stack {stack} (here) and {name} (there)")
    for line in lines(found, ours.component, chosen.settings.disclosure):
        print(line)
    return int(any(not intended.reason(difference) for difference in found))


def headline(theirs: Sequence[str], ours: str) -> str:
    """The line to print first if the other installation has another minor release; empty if it has the same."""
    if not theirs or any(releases.minor(one) == releases.minor(ours) for one in theirs):
        return ""
    return (
        f"ANOTHER RELEASE: Istio {', '.join(theirs)} there, {ours} here. Most of the following differences come from"
        f" the releases and not from settings; compare with an Istio {releases.minor(ours)}"
    )


def _target(source: str, context: str | None) -> Target:
    os.environ.update(pulumi_cli.environment(build=False))
    try:
        return Target.named(source or context)
    except ClusterError as error:
        said = f"FROM={source} is not a file, folder or context: " if source else ""
        raise CommandError(f"{said}{error}") from None


def lines(
    found: Sequence[Difference], component: Mapping[Ref, str], shown: Disclosure = disclosure.DEFAULT
) -> Iterator[str]:
    """The printed lines: differences by object, then intended ones by reason, then the counts. `shown` decides which
    values are visible."""
    real = [difference for difference in found if not intended.reason(difference)]
    absent, real = _absent(real, component)
    yield from absent
    for name in dict.fromkeys(difference.object for difference in real):
        yield from _object(name, [difference for difference in real if difference.object == name], shown)
    reasons: dict[str, list[Ref]] = defaultdict(list)
    for difference in found:
        if why := intended.reason(difference):
            reasons[why].append(difference.object)
    for why, names in reasons.items():
        objects = ", ".join(dict.fromkeys(f"{ref.kind} {ref.name}" for ref in names))
        yield f"wanted: {why} ({objects})"
    on_purpose = sum(map(len, reasons.values()))
    total = len(found) - on_purpose
    yield f"{count(total, 'difference') if total else 'no difference'}; {on_purpose} on purpose"


def _absent(real: list[Difference], component: Mapping[Ref, str]) -> tuple[list[str], list[Difference]]:
    """A line for each component whose objects are all missing on the other side, and the remaining differences."""
    sizes = Counter(component.values())
    lacking = Counter(component.get(d.object) for d in real if d.whole and d.theirs is ABSENT)
    whole = {name for name, number in lacking.items() if name and number == sizes[name] and number > 1}
    said = [f"{name}: only here, all {sizes[name]} objects" for name in sorted(whole)]
    return said, [d for d in real if not (d.whole and component.get(d.object) in whole)]


def _object(name: Ref, found: Sequence[Difference], shown: Disclosure) -> Iterator[str]:
    if found[0].whole:
        yield f"{name}: only {'here' if found[0].theirs is ABSENT else 'there'}"
        return
    yield str(name)
    for difference in found:
        theirs, ours = (shown.masked(side, difference.steps) for side in (difference.theirs, difference.ours))
        yield f"  {difference.path}: {_both(theirs, ours)}"


def _both(theirs: Any, ours: Any) -> str:
    if ours is ABSENT:
        return f"only there: {_short(theirs)}"
    if theirs is ABSENT:
        return f"only here: {_short(ours)}"
    if isinstance(theirs, str) and isinstance(ours, str) and "\n" in theirs + ours:
        return _first_line(theirs, ours)
    return f"{_short(theirs)} there, {_short(ours)} here"


def _first_line(theirs: str, ours: str) -> str:
    """The first line in which two texts differ."""
    one, other = theirs.splitlines(), ours.splitlines()
    pairs = enumerate(zip(one, other, strict=False), start=1)
    number, a, b = next(((n, a, b) for n, (a, b) in pairs if a != b), (min(len(one), len(other)) + 1, "", ""))
    return f"line {number}: {_short(a.strip())} there, {_short(b.strip())} here"


def _short(value: Any) -> str:
    plain = isinstance(value, Amount) or (isinstance(value, str) and value != "")
    text = str(value) if plain else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
