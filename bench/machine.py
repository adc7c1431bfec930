"""Describes the machine on which the measurements run."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

import toolchain.pins

BUSY: Final = 0.5
"""Load average above which another program is probably running."""


def description() -> str:
    """Processors, memory, operating system and the programs' versions, in one line."""
    pins = toolchain.pins.read()
    processors = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processors} processors ({_model()}), {memory:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}, Pulumi {pins.pulumi}, its Kubernetes provider {pins.provider},"
        f" Kubernetes {pins.kubernetes}"
    )


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def warning() -> str:
    """The reason why measurements are not reliable; empty if there is none."""
    load = os.getloadavg()[0]
    return (
        f"another program is running: the load average is {load:.1f}, so times will be too long" if load > BUSY else ""
    )
