"""The pictures of the docs: each is made by a command and shown on a page, and says what it shows in words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from commands.docs_pictures import gallery, report
from commands.docs_pictures.workspace import Workspace
from commands.stackfiles import ROOT, CommandError
from tests.test_docs import PAGES, prose

SVG = "{http://www.w3.org/2000/svg}"
PICTURES = sorted(file for _, files in gallery.MAKERS.values() for file in files)
LARGEST = 300_000
"""Bytes of a picture, at most."""


def shown() -> set[Path]:
    """The pictures of all pages."""
    links = ((page, link) for page in PAGES for link in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", prose(page)))
    return {(page.parent / link).resolve() for page, link in links}


def test_every_picture_that_a_page_shows_is_made_by_the_command() -> None:
    assert shown() - {*PICTURES} == set()


def test_every_picture_is_shown_on_a_page_and_exists() -> None:
    assert {*PICTURES} - shown() == set()
    assert [file for file in PICTURES if not file.exists()] == []


def test_no_picture_lies_there_that_nothing_makes() -> None:
    there = {file for ending in ("svg", "png", "gif") for file in ROOT.glob(f"[!.]*/**/*.{ending}")}
    assert there == {*PICTURES}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_picture_needs_nothing_but_itself(picture: Path) -> None:
    text = picture.read_text()
    assert len(text.encode()) < LARGEST
    names = {element.tag.removeprefix(SVG) for element in ET.fromstring(text).iter()}
    assert names & {"script", "foreignObject", "image", "a"} == set()
    assert re.findall(r'href="(?!#)|url\((?!#)|@import|@font-face|\bon\w+="', text) == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_picture_says_in_words_what_it_shows(picture: Path) -> None:
    root = ET.fromstring(picture.read_text())
    assert root.get("role") == "img"
    assert all((root.findtext(f"{SVG}{name}") or "").strip() for name in ("title", "desc"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_picture_names_no_folder_of_the_machine_that_made_it(picture: Path) -> None:
    assert re.findall(r"/(?:tmp|root|home|Users)/", picture.read_text()) == []


def test_a_recording_that_shows_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="which says nothing to its readers"):
        Workspace(tmp_path).without_paths(f"<text>{tmp_path}/mesh</text>")


@pytest.mark.slow
def test_the_picture_of_the_report_is_up_to_date() -> None:
    (file,) = gallery.MAKERS["report"][1]
    assert file.read_text() == report.draw(), "run `make docs-pictures NAME=report`"


def test_the_page_shows_the_change_of_the_report() -> None:
    page = (ROOT / "docs" / "report.md").read_text()
    added = "\n".join(re.findall(r"^\+(.*)$", page, re.MULTILINE))
    assert [now for now in report.CHANGE.values() if now not in added] == []


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match="there are maps, report, dev, today"):
        gallery.run(["nothing"])
