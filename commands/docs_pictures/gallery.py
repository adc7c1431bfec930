"""All pictures of the docs, by what has to be run for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from commands import examples
from commands.docs_pictures import report, scenes, workspace
from commands.stackfiles import ROOT, CommandError

FOLDER: Final = ROOT / "docs" / "pictures"
Made = Iterator[tuple[Path, str]]
"""Files with their texts."""


def _recorded(scene: Callable[[workspace.Workspace], Iterator[tuple[str, str]]]) -> Made:
    with workspace.temporary() as place:
        for name, text in scene(place):
            yield FOLDER / name, place.without_paths(text)


def _maps() -> Made:
    yield from examples.maps().items()


def _report() -> Made:
    yield FOLDER / "report.svg", report.draw()


MAKERS: Final[Mapping[str, tuple[Callable[[], Made], Sequence[Path]]]] = {
    "maps": (_maps, [file.with_name("map.svg") for file in examples.STACKS]),
    "report": (_report, [FOLDER / "report.svg"]),
    "dev": (partial(_recorded, scenes.dev), [FOLDER / name for name in ("up.svg", "traffic.svg", "canary.svg")]),
    "today": (partial(_recorded, scenes.today), [FOLDER / "status.svg"]),
}
"""By name, what makes pictures together, and the files that it makes. The fast ones come first."""


def run(wanted: Sequence[str]) -> int:
    """Makes all pictures, or those of the `wanted` makers. Returns the exit code 0. Raises CommandError."""
    for name in wanted:
        if name not in MAKERS:
            raise CommandError(f"NAME: there are no pictures {name}; there are {', '.join(MAKERS)}")
    FOLDER.mkdir(exist_ok=True)
    for name in wanted or MAKERS:
        make, _ = MAKERS[name]
        for file, text in make():
            file.write_text(text)
            print(f"{file.relative_to(ROOT)}: {len(text.encode()) / 1000:.0f} kB", flush=True)
    return 0
