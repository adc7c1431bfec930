"""Pytest hooks for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

E2E = Path(__file__).parent / "e2e"
REFERENCE = "MESH_REFERENCE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the end-to-end tests first: they are long, and the short ones then keep all workers busy to the end."""
    items.sort(key=lambda item: E2E not in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fails skipped end-to-end tests if MESH_NO_SKIP is set, except those that need Istio's own output, which is not a
    part of this project."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and os.environ.get("MESH_NO_SKIP")
        and (os.environ.get(REFERENCE) or REFERENCE not in str(report.longrepr))
        and E2E in item.path.parents
    ):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and MESH_NO_SKIP is set: {report.longrepr}"
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the texts that tests record with `record_property("told", text)`."""
    calls = [r for kind in terminalreporter.stats.values() for r in kind if getattr(r, "when", "") == "call"]
    for report in calls:  # the report of the teardown repeats them
        for name, text in report.user_properties:
            if name == "told":
                terminalreporter.write_line(f"{report.nodeid}: {text}")
