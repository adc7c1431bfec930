"""What all commands have in common."""

import os
import signal
import subprocess
import sys

from commands.stackfiles import ROOT


def test_a_reader_that_has_seen_enough_ends_a_command_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "commands", "analyze", "dev"]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
