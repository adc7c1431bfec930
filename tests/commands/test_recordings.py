"""Recordings of a terminal: what a program writes is what the picture shows, in the same order and time."""

from __future__ import annotations

import os
import re
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from commands.docs_pictures import screen, terminal_svg
from commands.docs_pictures.recorder import Command, Output, RecordingFailed, Terminal
from commands.docs_pictures.screen import Frame, Style
from commands.docs_pictures.terminal_svg import Caption, TooLarge

SVG = "{http://www.w3.org/2000/svg}"
CAPTION = Caption(title="A <test>", description="What & how")
PROGRAM = r"""
import sys, time
write = lambda text: (sys.stdout.write(text), sys.stdout.flush())
write("\x1b[31mred\x1b[0m and \x1b[1;32mgreen\x1b[0m\n")
write("10 %\r100 %\n")
write("one\ntwo\n\x1b[2A\x1b[2Kfirst\x1b[2B\r")
"""


def terminal(folder: Path) -> Terminal:
    return Terminal(columns=40, rows=10, folder=folder, environment=os.environ)


def python(code: str, **more: object) -> Command:
    return Command(shown="run it", argv=[sys.executable, "-c", code], **more)  # type: ignore[arg-type]


def text(frame: Frame) -> list[str]:
    """The rows of a frame that have text."""
    rows = []
    for row in frame.rows:
        line = ""
        for span in row:
            line = line.ljust(span.column) + span.text
        rows.append(line)
    return [row for row in rows if row]


def last(*parts: str) -> Frame:
    """The last frame of a recording of these outputs, a second apart."""
    return screen.frames([Output(float(n), part.encode()) for n, part in enumerate(parts)], 40, 10)[-1]


def test_a_recording_shows_colors_carriage_returns_and_movements_of_the_cursor(tmp_path: Path) -> None:
    recorded = terminal(tmp_path).record([python(PROGRAM)])
    end = screen.frames(recorded, 40, 10)[-1]
    assert text(end) == ["$ run it", "red and green", "100 %", "first", "two", "$"]
    looks = {span.text: span.style for row in end.rows for span in row}
    assert (looks["red"], looks["green"]) == (Style("red"), Style("green", bold=True))


def test_the_command_is_typed_before_it_runs(tmp_path: Path) -> None:
    frames = screen.frames(terminal(tmp_path).record([python("print('done')")]), 40, 10, interval=0.01)
    assert [text(frame)[-1] for frame in frames][:8] == [
        "$",
        "$ r",
        "$ ru",
        "$ run",
        "$ run",
        "$ run i",
        "$ run it",
        "$ run it",
    ]


def test_a_question_is_answered_once(tmp_path: Path) -> None:
    asking = "print('Sure?', flush=True); print('you said', input())"
    recorded = terminal(tmp_path).record([python(asking, answers={"Sure?": "yes\r"})])
    assert "you said yes" in text(screen.frames(recorded, 40, 10)[-1])


def test_a_command_that_fails_ends_the_recording_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(RecordingFailed, match=r"(?s)ended with code 3.*no luck"):
        terminal(tmp_path).record([python("print('no luck'); raise SystemExit(3)")])


def test_a_command_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with pytest.raises(RecordingFailed, match="did not end"):
        terminal(tmp_path).record([python("import time; time.sleep(15)", limit=0.5)])


def test_a_process_that_goes_on_in_the_background_does_not_hold_the_recording(tmp_path: Path) -> None:
    began = time.monotonic()
    terminal(tmp_path).record([python("import subprocess; subprocess.Popen(['sleep', '20'])")])
    assert time.monotonic() - began < 15


def test_waits_are_shortened_and_the_last_screen_stays() -> None:
    recorded = [Output(0.0, b"a"), Output(60.0, b"b"), Output(60.5, b"c")]
    seconds = [frame.seconds for frame in screen.frames(recorded, 40, 10)]
    assert seconds == [screen.LONGEST_WAIT, 0.5, screen.LAST]


def test_outputs_that_change_nothing_do_not_hide_a_wait() -> None:
    spinning = [Output(n / 10, b"\rwaiting") for n in range(100)]
    frames = screen.frames([*spinning, Output(10.0, b"\rdone   ")], 40, 10)
    assert [frame.seconds for frame in frames] == [screen.LONGEST_WAIT, screen.LAST]


def test_a_cursor_that_is_saved_once_is_restored_twice() -> None:
    assert text(last("one\r\n\x1b7two\x1b8TWO\r\n\r\n\x1b8two")) == ["one", "two"]


def test_more_lines_than_the_screen_has_scroll() -> None:
    assert text(last("".join(f"line {n}\r\n" for n in range(12)))) == [f"line {n}" for n in range(3, 12)]


def test_columns_keep_their_places() -> None:
    (row,) = (row for row in last("a     b c").rows if row)
    assert [(span.column, span.text) for span in row] == [(0, "a"), (6, "b c")]


def animated() -> str:
    recorded = [Output(0.0, b"<first>\r\n"), Output(1.0, b"second"), Output(2.0, b" third")]
    return terminal_svg.animation(CAPTION, recorded, 40, 10)


def test_an_animation_is_a_file_without_scripts_or_references_to_others() -> None:
    root = ET.fromstring(animated())
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "style", "defs", "g", "rect", "circle", "text", "tspan", "use")
    }
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == (CAPTION.title, CAPTION.description)
    assert all(value.startswith("#") for e in root.iter() for name, value in e.attrib.items() if name == "href")


def strip(svg: str) -> list[list[str]]:
    """The texts of each place of the strip, from top to bottom."""
    root = ET.fromstring(svg)
    rows = {e.get("id"): "".join(e.itertext()) for e in root.iter(f"{SVG}g") if e.get("id") != "strip"}
    (whole,) = (e for e in root.iter(f"{SVG}g") if e.get("id") == "strip")
    places: dict[int, list[str]] = {}
    for use in whole:
        name, y = str(use.get("href"))[1:], int(use.get("y", "0"))
        if name in rows:
            places.setdefault(y // (10 * terminal_svg.LINE), []).append(rows[name])
    return [places[place] for place in sorted(places)]


def test_viewers_without_animations_see_the_last_screen() -> None:
    assert strip(animated()) == [["<first>", "second third"], ["<first>"], ["<first>", "second"]]
    assert "prefers-reduced-motion:reduce){#strip{animation:none}}" in animated()


def test_each_screen_is_shown_for_its_time() -> None:
    steps = re.findall(r"([\d.]+)%\{transform:translateY\((-?\d+)px\)\}", animated())
    height, total = 10 * terminal_svg.LINE, 2 + screen.LAST
    assert [(float(at), int(y)) for at, y in steps] == [
        (0.0, -height),
        (pytest.approx(100 / total, abs=0.01), -2 * height),
        (pytest.approx(200 / total, abs=0.01), 0),
    ]
    assert f"play {total:.2f}s step-end infinite" in animated()


def test_a_recording_with_many_changes_gets_fewer_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Output(n / 10, f"\r\nline {n}".encode()) for n in range(300)]
    whole = terminal_svg.animation(CAPTION, many, 40, 10)
    monkeypatch.setattr(terminal_svg, "LARGEST", len(whole) // 2)
    smaller = terminal_svg.animation(CAPTION, many, 40, 10)
    assert len(smaller) <= len(whole) // 2
    assert strip(smaller)[0] == strip(whole)[0]


def test_a_recording_that_stays_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_svg, "LARGEST", 1000)
    with pytest.raises(TooLarge, match="1000 are allowed"):
        animated()


def test_a_still_picture_has_the_last_screen_and_cuts_long_rows() -> None:
    still = terminal_svg.still(CAPTION, [Output(0.0, b"first\r\n"), Output(1.0, b"0123456789abcdef")], 12, 10)
    assert "animation" not in still
    assert strip(still) == [["first", "0123456789a…"]]
