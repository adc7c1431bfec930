"""Behaviour that all commands share."""

import os
import signal
import subprocess
import sys

import pytest

from commands.stackfiles import ROOT

pytestmark = pytest.mark.slow


def test_a_closed_pipe_ends_a_command_silently() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "commands", "analyze", "dev"]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
