"""Random pairs of configs: what the evaluation of requests predicts for every sample is what Envoys answer.

`make test` draws 200 pairs, `make torture` 2,000, half of them for each release. Shares are compared with a tolerance
that chance exceeds in less than one of a million runs.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh import releases
from mesh.config.settings import SettingsError
from tests.e2e.judge import dataplane, predictions
from tests.e2e.judge.dataplane import Said
from tests.e2e.judge.drawn import Draw, Pair

PAIRS = int(os.environ.get("MESH_TORTURE_PAIRS", "200"))
SEED = int(os.environ.get("MESH_TORTURE_SEED", "1"))
TOGETHER = 200
"""Pairs that are loaded into pilot at once."""


def drawn(draw: Draw, release: str) -> Iterator[Pair]:
    """Pairs both of whose configs are accepted in a release."""
    for number in itertools.count():
        pair = draw.pair(number)
        try:
            for side in (pair.old, pair.new):
                predictions.stack(side.traffic, pair.token, release)
        except SettingsError:
            continue
        yield pair


@pytest.mark.drawn
@pytest.mark.parametrize("release", releases.NAMES)
def test_envoys_answer_what_is_predicted(
    release: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    total = PAIRS // len(releases.NAMES)
    pairs = drawn(Draw(f"{release} {SEED}", later=release != releases.NAMES[0]), release)
    wrong, asked, differing = [], 0, 0
    for batch in range(0, total, TOGETHER):
        some = list(itertools.islice(pairs, min(TOGETHER, total - batch)))
        wanted = [one for pair in some for one in predictions.predict(pair, release)]
        made = predictions.objects(some, release)
        with dataplane.running(made, tmp_path / str(batch), releases.get(release)) as plane:
            answers = plane.ask([one.ask for one in wanted], list(map(predictions.repeats, wanted)))
        wrong += predictions.wrong(wanted, answers)
        asked += sum(map(len, answers))
        differing += len(wanted)
    record_property("told", f"{total} pairs, seed {SEED}: {differing} predictions, {asked} requests")
    assert not wrong, f"{len(wrong)} wrong predictions\n" + "\n\n".join(wrong[:3])


A, B = Said(200, "a"), Said(200, "b")


@pytest.mark.parametrize(
    ("seen", "agrees"),
    [
        ({A: 60, B: 60}, True),
        ({A: 80, B: 40}, True),
        ({A: 110, B: 10}, False),
        ({A: 120}, False),
        ({A: 60, B: 59, Said(503): 1}, False),
    ],
)
def test_answers_agree_with_shares_within_what_chance_allows(seen: dict[Said, int], agrees: bool) -> None:
    assert predictions.agrees({A: 0.5, B: 0.5}, Counter(seen), 1e-10) is agrees
