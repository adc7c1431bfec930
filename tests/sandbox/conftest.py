"""Fixtures of the tests of the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.live.folder import Folder
from sandbox.paths import Layout


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    layout = Layout("mesh-dev", tmp_path)
    for place in (layout.logs, layout.run):
        place.mkdir()
    made = Folder(layout)
    made.make()
    return made
