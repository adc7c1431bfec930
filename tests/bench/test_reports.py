"""The reports of `make bench`, from invented measurements."""

from __future__ import annotations

import json
from pathlib import Path

from bench import compare, generated, growth, releases, setup
from bench.process import Run
from bench.sides import FIGURES, Side


def runs(*seconds: float, memory: int = 2**20) -> list[Run]:
    return [Run(seconds=one, cpu=one, memory=memory) for one in seconds]


def compared() -> compare.Results:
    without_refresh = {figure: "true" for figure in FIGURES if figure != "refresh"}
    everything = dict.fromkeys(FIGURES, "true")
    found = compare.Results(
        [
            Side(name="ours", title="this project", folder=Path(), commands=everything),
            Side(name="kubectl", title="kubectl", folder=Path(), commands=without_refresh),
            Side(name="configfile", title="ConfigFile", folder=Path(), commands=everything),
            Side(name="floor", title="floor", folder=Path(), commands=everything),
        ]
    )
    speed = {"ours": 2.0, "kubectl": 1.0, "configfile": 4.0, "floor": 0.5}
    for side in found.sides:
        for figure in side.commands:
            found.runs[side.name, figure] = runs(speed[side.name], speed[side.name])
    return found


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_figure_is_shown_beside_the_other_sides_with_its_target() -> None:
    cells = row(compare.report(compared()), "cold `up`")
    assert cells[1] == "2.00 s (2.00 to 2.00, n 2)"
    assert cells[3:5] == ["**2.00** (2.00 to 2.00)", "at most 4"]
    assert cells[6:8] == ["**0.50** (0.50 to 0.50)", "at most 0.7"]


def test_a_figure_that_a_side_lacks_is_shown_as_none() -> None:
    assert row(compare.report(compared()), "`refresh`")[2:5] == ["none", "", ""]


def test_memory_is_the_peak_of_all_commands() -> None:
    found = compared()
    found.runs["ours", "down"] = runs(1, 1, memory=5 * 2**20)
    assert row(compare.report(found), "peak memory")[1] == "5 MiB (5 to 5, n 2)"


def test_our_share_of_a_preview_is_the_time_above_the_floor() -> None:
    assert "ours takes **1.50 s** (target: at most 2 s)" in compare.report(compared())


def test_a_releases_stack_is_shown_beside_the_first_one_with_its_target() -> None:
    found = releases.Results()
    for stack, seconds in (("dev", 2.0), ("today", 3.0)):
        found.runs |= {(stack, figure): runs(seconds, seconds) for figure in releases.FIGURES}
        found.states[stack] = releases.State(resources=9, size=5_000_000, definitions=2_500_000)
    cells = row(releases.report(found), "no-change preview")
    assert cells[1:] == [
        "2.00 s (2.00 to 2.00, n 2)",
        "3.00 s (3.00 to 3.00, n 2)",
        "**1.50** (1.50 to 1.50)",
        "at most 1.3",
    ]
    assert row(releases.report(found), "… of it definitions")[1:3] == ["2.50 MB", "2.50 MB"]
    assert found.data()["today"]["state"]["resources"] == 9


def test_the_definitions_share_of_a_state_is_measured_in_bytes_of_its_file() -> None:
    kinds = ("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "kubernetes:core/v1:Service")
    resources = [{"type": kind, "outputs": {"a": ["x" * 100] * 10}} for kind in kinds]
    text = json.dumps({"checkpoint": {"latest": {"resources": resources}}}, indent=4)
    state = releases.State.of(text)
    assert (state.resources, state.size) == (2, len(text))
    assert 0.4 < state.definitions / state.size < 0.6


def test_growth_is_measured_above_the_program_without_services() -> None:
    sizes = (0, *growth.SIZES)
    found = growth.Results(
        analysis={size: [size / 1000] for size in growth.SIZES},
        previews={size: [Run(seconds=2 + size * generated.EACH / 100, cpu=0, memory=9 + size)] for size in sizes},
        plain={size: [Run(seconds=1 + size**2, cpu=0, memory=9 + size)] for size in sizes},
    )
    text = growth.report(found)
    assert row(text, "exponent")[2:] == ["1.00", "1.00", "1.00", "2.00", "1.00"]
    assert "For each resource, a preview takes **10.0 ms** more" in text


def test_only_the_time_of_the_clusters_start_is_shown() -> None:
    text = setup.report({"cluster, first start": runs(3.0, 4.0, 5.0), "toolchain, cold": runs(700.0)})
    assert row(text, "cluster, first start")[1:] == ["4.00 s (3.00 to 5.00, n 3)"]
    assert row(text, "toolchain, cold")[2:] == ["700 s", "1 MiB (1 to 1, n 1)"]
