"""The picture of a report: the Markdown that reports have is read and drawn completely."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from commands.docs_pictures import comment, report
from commands.docs_pictures.markdown import (
    Block,
    Bullet,
    Fence,
    Heading,
    Paragraph,
    Piece,
    Summary,
    Table,
    blocks,
)
from commands.docs_pictures.terminal_svg import Caption
from mesh.review import markdown as written

SVG = "{http://www.w3.org/2000/svg}"
CAPTION = Caption(title="A comment", description="What it says")
MAP = '<svg xmlns="http://www.w3.org/2000/svg" width="1736" height="100" viewBox="0 0 1736 100"><rect/></svg>'


def words(*found: Block) -> list[str]:
    """All words of a picture with these blocks, in their order."""
    root = ET.fromstring(comment.draw(CAPTION, found, MAP))
    return " ".join(text.text or "" for text in root.iter(f"{SVG}text")).split()


def test_the_blocks_of_a_report_are_read() -> None:
    text = """<!-- mesh report: shop -->
## Stack `shop`
one\\_two &lt;3
| a | b |
| --- | --- |
| **high** | x \\| y |

- first
  - second
<details><summary>Map</summary>

```mermaid
flowchart
```

</details>
"""
    head = [(Piece("a"),), (Piece("b"),)]
    assert blocks(text) == [
        Heading(level=2, line=(Piece("Stack "), Piece("shop", "code"))),
        Paragraph(line=(Piece("one_two <3"),)),
        Table(rows=[head, [(Piece("high", "bold"),), (Piece("x | y"),)]]),
        Bullet(level=0, line=(Piece("first"),)),
        Bullet(level=1, line=(Piece("second"),)),
        Summary(line=(Piece("Map"),)),
        Fence(language="mermaid"),
    ]


@pytest.mark.slow
def test_every_word_of_the_report_is_drawn() -> None:
    found = blocks(written.write(report.review()))
    kept = [block for block in found if not isinstance(block, Fence)]
    expected = [
        word
        for block in kept
        for line in ([cell for row in block.rows for cell in row] if isinstance(block, Table) else [block.line])
        for word in " ".join(piece.text for piece in line).split()
    ]
    assert words(*found) == ["github-actions", "bot", "commented", *expected]


def test_a_long_line_is_broken_before_the_edge() -> None:
    root = ET.fromstring(comment.draw(CAPTION, [Paragraph(line=(Piece("a word " * 60),))], MAP))
    edges = [float(t.get("x", "0")) + float(t.get("textLength", "0")) for t in root.iter(f"{SVG}text")]
    assert len(edges) > 5
    assert max(edges) <= comment.WIDTH


def test_the_map_is_as_wide_as_the_comment() -> None:
    drawn = comment.draw(CAPTION, [Fence(language="mermaid")], MAP)
    assert re.search(r'<svg x="16" y="[\d.]+" width="868" height="50.0" viewBox="0 0 1736 100"><rect/></svg>', drawn)


def test_a_block_that_no_report_has_is_not_left_out_in_silence() -> None:
    with pytest.raises(ValueError, match="a fence of python"):
        words(Fence(language="python"))
