"""Draws recordings of a terminal as SVG: one file without scripts, external fonts or images.

The frames of an animation lie below each other in a strip, which a CSS animation moves. The last frame is the first of
the strip: viewers without animations, and readers who want no motion, see the end of the recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from commands.docs_pictures import screen
from commands.docs_pictures.recorder import Output
from commands.docs_pictures.screen import Frame, Row, Span, Style
from commands.stackfiles import CommandError

LARGEST: Final = 290_000
"""The most bytes of an animation: GitHub and readers on slow lines have to load it."""
_INTERVALS: Final = (0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2)
"""The shortest times of a frame that are tried, in seconds."""
FONT_SIZE: Final = 14
CELL: Final = 8.43
"""Width of a character."""
LINE: Final = 19
"""Height of a row."""
_MARGIN: Final = 16
_BAR: Final = 34
"""Height of the window's bar."""
MONOSPACED: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace"
_GROUND: Final = "#161b22"
_COLORS: Final = {
    "default": "#d5dbe3",
    "black": "#8b949e",
    "red": "#ff8a80",
    "green": "#6fd086",
    "brown": "#e3b341",
    "blue": "#7cb7ff",
    "magenta": "#d9a6ff",
    "cyan": "#6ed7dd",
    "white": "#f0f3f6",
}
"""Colors that can be read on the dark ground; bright ones look the same."""


class TooLarge(CommandError):
    """No choice of frames makes the animation small enough."""


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a picture says to those who do not see it."""

    title: str
    description: str


def animation(caption: Caption, recorded: Sequence[Output], columns: int, rows: int) -> str:
    """The animation of a recording, with as many frames as LARGEST allows. Raises TooLarge."""
    for interval in _INTERVALS:
        text = draw(caption, screen.frames(recorded, columns, rows, interval), columns, rows)
        if len(text.encode()) <= LARGEST:
            return text
    raise TooLarge(f"{caption.title}: {len(text.encode())} bytes, of which {LARGEST} are allowed")


def still(caption: Caption, recorded: Sequence[Output], columns: int, rows: int) -> str:
    """The last screen of a recording, without the rows below its text. Longer rows are cut."""
    (*_, last) = screen.frames(recorded, 2 * columns, rows)
    cut = [_cut(row, columns) for row in last.rows]
    used = max((number for number, row in enumerate(cut, 1) if row), default=1)
    return draw(caption, [Frame(1.0, tuple(cut[:used]), None)], columns, used)


def _cut(row: Row, columns: int) -> Row:
    kept = [span for span in row if span.column < columns - 1]
    ends = [span.column + len(span.text) for span in row]
    if not row or ends[-1] <= columns:
        return row
    last = kept[-1]
    text = last.text[: columns - 1 - last.column]
    return (*kept[:-1], Span(last.column, f"{text.rstrip()}…", last.style))


def draw(caption: Caption, frames: Sequence[Frame], columns: int, rows: int) -> str:
    """The text of an SVG file."""
    return "\n".join([*_lines(caption, frames, columns, rows), ""])


def _lines(caption: Caption, frames: Sequence[Frame], columns: int, rows: int) -> Iterator[str]:
    width, height = round(columns * CELL) + 2 * _MARGIN, rows * LINE + _BAR + _MARGIN
    names = {row: f"r{number}" for number, row in enumerate(dict.fromkeys(r for f in frames for r in f.rows if r))}
    styles = {style: f"s{n}" for n, style in enumerate(dict.fromkeys(span.style for row in names for span in row))}
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    yield f'role="img" aria-labelledby="title desc" font-family={quoteattr(MONOSPACED)} font-size="{FONT_SIZE}">'
    yield f'<title id="title">{escape(caption.title)}</title>'
    yield f'<desc id="desc">{escape(caption.description)}</desc>'
    yield "<style>"
    yield "text{white-space:pre}"
    yield from (f".{name}{{{_css(style)}}}" for style, name in styles.items())
    yield from _motion(frames, rows) if len(frames) > 1 else ()
    yield "</style>"
    yield "<defs>"
    yield '<rect id="cursor" width="8" height="16" fill="#8b949e"/>'
    yield from (_row(name, row, styles) for row, name in names.items())
    yield "</defs>"
    size = f'x="0.5" y="0.5" width="{width - 1}" height="{height - 1}"'
    yield f'<rect {size} rx="8" fill="{_GROUND}" stroke="#4b535d"/>'
    yield from (f'<circle cx="{20 + 18 * n}" cy="18" r="5" fill="#4b535d"/>' for n in range(3))
    yield f'<svg x="{_MARGIN}" y="{_BAR}" width="{round(columns * CELL)}" height="{rows * LINE}"><g id="strip">'
    for place, frame in enumerate([frames[-1], *frames[:-1]]):
        yield from _frame(frame, place * rows * LINE, names)
    yield "</g></svg>"
    yield "</svg>"


def _motion(frames: Sequence[Frame], rows: int) -> Iterator[str]:
    """The animation of the strip: each frame at its place, for its time."""
    total, at = sum(frame.seconds for frame in frames), 0.0
    steps = []
    for number, frame in enumerate(frames):
        place = (number + 1) % len(frames)
        steps.append(f"{100 * at / total:.3f}%{{transform:translateY({-place * rows * LINE}px)}}")
        at += frame.seconds
    yield f"@keyframes play{{{''.join(steps)}100%{{transform:none}}}}"
    yield f"#strip{{animation:play {total:.2f}s step-end infinite}}"
    yield "@media (prefers-reduced-motion:reduce){#strip{animation:none}}"


def _css(style: Style) -> str:
    named = _COLORS.get(style.color.removeprefix("bright"))
    parts = [f"fill:{named or f'#{style.color}'}"]
    parts += ["font-weight:bold"] if style.bold else []
    parts += ["text-decoration:underline"] if style.underlined else []
    return ";".join(parts)


def _row(name: str, row: Row, styles: dict[Style, str]) -> str:
    """A row for the frames to use, with its base line at the height of the text."""
    grounds = "".join(_ground(span) for span in row if span.style.background != "default")
    texts = "".join(
        f'<tspan x="{span.column * CELL:g}" class="{styles[span.style]}">{escape(span.text)}</tspan>' for span in row
    )
    return f'<g id="{name}">{grounds}<text y="14">{texts}</text></g>'


def _ground(span: Span) -> str:
    color = span.style.background
    fill = _COLORS.get(color.removeprefix("bright"), f"#{color}")
    return f'<rect x="{span.column * CELL:g}" width="{len(span.text) * CELL:g}" height="{LINE}" fill="{fill}"/>'


def _frame(frame: Frame, top: int, names: dict[Row, str]) -> Iterator[str]:
    uses = [f'<use href="#{names[row]}" y="{top + n * LINE}"/>' for n, row in enumerate(frame.rows) if row]
    if frame.cursor:
        column, row = frame.cursor
        uses.append(f'<use href="#cursor" x="{column * CELL:g}" y="{top + row * LINE + 1}"/>')
    yield "".join(uses)
