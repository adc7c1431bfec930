"""Formats tables and figures in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Figure, Ratio

MEBI = 2**20


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seconds(figure: Figure) -> str:
    """`5.12 s (4.90 to 5.31, n 5)`."""
    return f"{figure.middle:.2f} s ({min(figure.values):.2f} to {max(figure.values):.2f}, n {len(figure.values)})"


def mebibytes(figure: Figure) -> str:
    """`512 MiB (500 to 520, n 5)`; the figure is in bytes."""
    low, high = (round(value / MEBI) for value in (min(figure.values), max(figure.values)))
    return f"{figure.middle / MEBI:.0f} MiB ({low} to {high}, n {len(figure.values)})"


def times(found: Ratio) -> str:
    """`0.71 (0.65 to 0.74)`."""
    return f"**{found.middle:.2f}** ({found.low:.2f} to {found.high:.2f})"
