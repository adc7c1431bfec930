"""A timeline as SVG: a line for each resource, grouped by component, the critical path marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from bench.timeline import Bar

LINE: Final = 15
"""Height of a line."""
_LEFT: Final = 420
"""Width of the names."""
_WIDTH: Final = 900
"""Of the time that everything took."""
_TOP: Final = 60
_USUAL: Final = "#8fa3b8"
_CRITICAL: Final = "#cf222e"
_STEPS: Final = (1, 2, 5, 10, 30, 60)


def draw(bars: Sequence[Bar], path: Sequence[Bar], title: str) -> str:
    """The picture as text of an SVG file."""
    groups: dict[str, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(bar.component, []).append(bar)
    height = _TOP + LINE * (len(bars) + len(groups)) + 20
    size = f'width="{_LEFT + _WIDTH + 80}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="DejaVu Sans, sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    whole = max((bar.end for bar in bars), default=1.0)
    lines += _scale(whole, height)
    lines += _groups(groups, {bar.urn for bar in path}, whole)
    return "\n".join([*lines, "</svg>", ""])


def _x(seconds: float, whole: float) -> float:
    return _LEFT + seconds / whole * _WIDTH


def _scale(whole: float, height: int) -> Iterator[str]:
    step = next((step for step in _STEPS if whole / step <= 15), _STEPS[-1])
    for tick in range(0, int(whole) + 1, step):
        x = _x(tick, whole)
        yield f'<path d="M{x:.1f} {_TOP - 8} V{height - 10}" stroke="#e1e6eb"/>'
        yield f'<text x="{x:.1f}" y="{_TOP - 14}" text-anchor="middle" fill="#7b8794">{tick} s</text>'


def _groups(groups: dict[str, list[Bar]], critical: set[str], whole: float) -> Iterator[str]:
    y = _TOP
    for name, some in groups.items():
        y += LINE
        yield f'<text x="12" y="{y - 3}" font-weight="bold">{escape(name)}</text>'
        for bar in some:
            y += LINE
            colour = _CRITICAL if bar.urn in critical else _USUAL
            left, right = _x(bar.start, whole), _x(bar.end, whole)
            size = f'x="{left:.1f}" y="{y - 11}" width="{max(right - left, 1.5):.1f}" height="{LINE - 4}"'
            text, ink = f"{bar.end - bar.start:.1f} s", _CRITICAL if bar.urn in critical else "#1f2933"
            yield f'<text x="24" y="{y - 3}" fill="{ink}">{escape(bar.name)}</text>'
            yield f'<rect {size} fill="{colour}"/>'
            if bar.end - bar.start > whole / 50:
                yield f'<text x="{right + 4:.1f}" y="{y - 3}" fill="#7b8794">{text}</text>'
