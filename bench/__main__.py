"""`python -m bench`: measures on a separate embedded cluster, and writes tables to the folder OUT.

By default it compares this project with kubectl and Pulumi's `ConfigFile`. RELEASES=1 compares the stacks of both
releases instead. GROWTH=1 measures growth with the number of services. SETUP=1 measures the build of the toolchain and
the start of the cluster. ROUNDS is the number of measurements. No other program should run on the machine meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sandbox
from bench import compare, growth, machine, process, releases, setup, workspace
from bench.compare import say
from toolchain import ToolchainError


def main() -> int:
    out, rounds = Path(os.environ.get("OUT") or "bench-results"), int(os.environ.get("ROUNDS") or 5)
    try:
        if doubt := machine.warning():
            say(doubt)
        with workspace.temporary() as at:
            name, text, data = _measured(at, rounds)
    except (process.Failed, sandbox.SandboxError, ToolchainError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    head = f"{machine.description()}.\n" + (f"Doubtful: {doubt}.\n" if doubt else "")
    compare.write(f"{head}\n{text}", {"machine": machine.description(), "doubt": doubt, **data}, out, name)
    return 0


def _measured(at: workspace.Workspace, rounds: int) -> tuple[str, str, Mapping[str, Any]]:
    """The measurement that the environment asks for: its name, report and data."""
    if os.environ.get("RELEASES"):
        beside = releases.measure(at, rounds)
        return "releases", releases.report(beside), beside.data()
    if os.environ.get("GROWTH"):
        grown = growth.measure(at, rounds)
        return "growth", growth.report(grown), grown.data()
    if os.environ.get("SETUP"):
        prepared = setup.measure(at)
        return "setup", setup.report(prepared), {name: [one.data() for one in some] for name, some in prepared.items()}
    compared = compare.measure(at, rounds)
    return "comparison", compare.report(compared), compared.data()


if __name__ == "__main__":
    sys.exit(main())
