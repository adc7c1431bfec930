"""`make report`: writes reports for reviewers on what a change does to stacks."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from commands import analyze, file_sources, files, sources, stackfiles, stacks
from commands.stackfiles import CommandError
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack
from mesh.config.stack_file import StackFileError
from mesh.core import errors, words
from mesh.manifests import ManifestError
from mesh.pictures import svg
from mesh.review import data, markdown
from mesh.review.review import Review
from mesh.review.risks import Weight

FOLDER: Final = "reports"
"""The default folder for reports."""
SUFFIXES: Final = ("md", "json", "svg")
TOO_RISKY: Final = 3
"""Exit code if a risk has at least the weight of `--fail-on`; 1 is for errors, 0 for everything else."""
_FLAG: Final = "--fail-on"


def run(stack: str, out: Path, base: str, flags: Sequence[str]) -> int:
    """Writes a report to `out`, as Markdown, JSON and an SVG map: of a stack, of the files that FILES names, or of
    every stack if neither is given.

    An error in one stack does not stop the others. Returns 1 after an error, or if `up` would refuse a stack; else
    TOO_RISKY or 0."""
    limit = fail_on(flags)
    failed, grave = False, False
    about_files = bool(files.named())
    for name in [stack] if stack or about_files else stackfiles.names():
        try:
            review = file_sources.review(stack, base) if about_files else of(name, base)
        except (CommandError, ManifestError, SettingsError, StackFileError) as error:
            print(f"error: {name}: {error}" if name else f"error: {error}", file=sys.stderr)
            for suffix in SUFFIXES:
                (out / f"{analyze.label(name)}.{suffix}").unlink(
                    missing_ok=True
                )  # the report of an earlier run would be misleading
            failed = True
            continue
        label = analyze.label(name)
        write(review, out, label)
        print(f"{review.stack}: {_summary(review)}; {out / label}.md", flush=True)
        failed = failed or bool(review.refused)
        grave = grave or any(limit and risk.weight >= limit for risk in review.risks)
    return 1 if failed else TOO_RISKY if grave else 0


def fail_on(flags: Sequence[str]) -> Weight | None:
    """The lowest weight of a risk that fails the command (`--fail-on`); None if no risk does. Raises CommandError for
    other flags and weights."""
    words = [word for flag in flags for word in flag.split("=", 1)]
    if not words:
        return None
    if words[0] != _FLAG or len(words) > 2:
        raise CommandError(f"report does not know {' '.join(flags)}; it takes {_FLAG} {'|'.join(_names())}")
    said = words[1] if len(words) == 2 else ""
    if said not in _names():
        raise CommandError(errors.invalid_choice(_FLAG, said, _names()))
    return Weight[said.upper()]


def _names() -> list[str]:
    return [str(weight) for weight in reversed(Weight)]


def of(stack: str, base: str = "") -> Review:
    """The review of the stack in the work tree. `base` is a branch or commit to compare with. Raises CommandError,
    SettingsError."""
    chosen = stacks.load(stack)
    return review(stack, chosen, sources.choose(stack, base, chosen))


def review(stack: str, chosen: Stack, found: sources.Comparison) -> Review:
    """The review of a change; `chosen` is the stack after the change."""
    located = chosen.with_origins(item.object for item in found.new)
    return Review.of(
        stack,
        found.source,
        found.old,
        (replace(item, object=thing) for item, thing in zip(found.new, located, strict=True)),
        chosen.settings.mesh_names,
        release=chosen.settings.release,
        facts=found.facts,
        drift=found.drift,
        suppressed=chosen.settings.analysis.suppress,
        shown=chosen.settings.disclosure,
    )


def write(review: Review, out: Path, label: str) -> None:
    """Writes a review as `<label>.md`, `<label>.json` and `<label>.svg`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{label}.md").write_text(markdown.write(review))
    (out / f"{label}.json").write_text(json.dumps(data.plain(review), indent=2, ensure_ascii=False) + "\n")
    (out / f"{label}.svg").write_text(svg.draw(review.picture))


def _summary(review: Review) -> str:
    risks = ", ".join(f"{count} {weight}" for weight, count in review.weights.items())
    changes = sum(review.counts.values())
    refused = f"{review.verdict}: {'; '.join(review.refused)}; " if review.refused else ""
    return f"{refused}{words.count(changes, 'object')} changed, {f'risks: {risks}' if risks else 'no risks found'}"
