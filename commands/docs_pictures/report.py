"""The report of a change of an example, as GitHub shows it on a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from commands import examples, render, sources
from commands import report as reporting
from commands.docs_pictures import comment, markdown
from commands.docs_pictures.terminal_svg import Caption
from commands.stackfiles import ROOT
from mesh.config import loading, stack_file
from mesh.pictures import svg
from mesh.review import markdown as written
from mesh.review.review import Review, Source

EXAMPLE: Final = "shop"
CHANGE: Final[Mapping[str, str]] = {
    "timeout: 2s": "timeout: 1s",
    "version: v1, weight: 90": "version: v1, weight: 50",
    "version: v2, weight: 10": "version: v2, weight: 50",
    "mtls: STRICT": "mtls: PERMISSIVE",
    "accounts: [shop/checkout] }": "accounts: [shop/checkout, shop/front] }",
}
"""What the change replaces in the stack file of EXAMPLE."""
_TEXT: Final = "Compared with main, both rendered; the stack has no state, so no cluster was asked."


def draw() -> str:
    """The text of an SVG file."""
    found = review()
    text = written.write(found)
    caption = Caption(
        title=f"A report on a pull request that changes stack {EXAMPLE}",
        description="A comment: risks, the requests that get another answer, the map of the mesh with what comes and"
        " goes, and the changed fields.",
    )
    return comment.draw(caption, markdown.blocks(text), svg.draw(found.picture))


def review() -> Review:
    """The review of the change."""
    file = ROOT / "examples" / EXAMPLE / "stack.yaml"
    before, old = examples.of(file)[0], stack_file.config(stack_file.document(file))
    text = file.read_text()
    for was, now in CHANGE.items():
        if text.count(was) != 1:
            raise ValueError(f"{was} stands {text.count(was)} times in {file}")
        text = text.replace(was, now)
    new = stack_file.config(stack_file.parse(text, file.name))
    after = loading.load(new)
    compared = sources.Comparison(
        source=Source(kind="base branch", text=_TEXT),
        old=list(sources.registered(render.record(EXAMPLE, old, before))),
        new=list(sources.registered(render.record(EXAMPLE, new, after))),
    )
    return reporting.review(EXAMPLE, after, compared)
