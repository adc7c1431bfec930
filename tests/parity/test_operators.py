"""A stack that was imported from an IstioOperator has the objects that Istio's own tool makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh import releases
from tests.parity import forms, lock, operators

SAMPLES = [path for name in releases.NAMES for path in operators.samples(name)]
LEFT = {"overlays": {"Deployment istio-system/istiod: spec.template.spec.hostNetwork is not as in Istio"}}
"""What a sample has that no key says, and its import lists."""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_is_imported_renders_to_the_objects_of_istios_own_tool(path: Path) -> None:
    found = set(forms.differences(operators.expected(path), operators.ours(path)))
    assert found == LEFT.get(path.stem, set())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_all_of_a_sample_is_carried_over_but_what_is_listed(path: Path) -> None:
    assert bool(operators.imported(path).left) == (path.stem in LEFT)


@pytest.mark.parametrize("name", releases.NAMES)
def test_each_sample_was_recorded(name: str) -> None:
    recorded = lock.read(operators.file(name))
    assert set(recorded) == {path.stem for path in operators.samples(name)}
