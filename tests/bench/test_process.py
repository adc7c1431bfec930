"""Measuring a command with all processes that it starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.process import Failed, run

HOLD = "import time; block = bytearray(64 * 2**20); time.sleep(0.6)"


def test_peak_memory_includes_all_processes(tmp_path: Path) -> None:
    command = ["sh", "-c", f"{sys.executable} -c '{HOLD}' & {sys.executable} -c '{HOLD}'; wait"]
    found = run(command, tmp_path)
    assert 128 * 2**20 < found.memory < 200 * 2**20
    assert 0.6 < found.seconds < 20


def test_processor_time_is_measured_by_program(tmp_path: Path) -> None:
    found = run([sys.executable, "-c", "while __import__('time').process_time() < 0.5: pass"], tmp_path)
    assert found.cpu > 0.45
    assert max(found.programs.values()) > 0.25


def test_a_failed_command_is_raised_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="ended with code 3:\nnothing to do"):
        run(["sh", "-c", "echo nothing to do; exit 3"], tmp_path)
