"""A stack that was imported from an IstioOperator has the objects that Istio's own tool makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh import releases
from tests.parity import forms, lock, operators

pytestmark = pytest.mark.slow

SAMPLES = [path for name in releases.NAMES for path in operators.samples(name)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_is_imported_renders_to_the_objects_of_istios_own_tool(path: Path) -> None:
    assert list(forms.differences(operators.expected(path), operators.ours(path))) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_all_of_a_sample_is_carried_over(path: Path) -> None:
    assert operators.imported(path).left == []


@pytest.mark.parametrize("name", releases.NAMES)
def test_each_sample_was_recorded(name: str) -> None:
    recorded = lock.read(operators.file(name))
    assert set(recorded) == {path.stem for path in operators.samples(name)}
