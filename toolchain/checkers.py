"""Istio's own programs, with which tests check what this project generates. The mesh itself does not use them.

They are a module of their own (toolchain/istio), apart from the engine's: built only for tests, with other pins.
"""

import hashlib
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from toolchain.build import FLAGS, LOG
from toolchain.errors import ToolchainError
from toolchain.golang import Go
from toolchain.locks import held
from toolchain.places import cache
from toolchain.progress import Progress

MODULE = Path(__file__).parent / "istio"

PROGRAMS = ("istioctl", "pilot-discovery")
"""What the tools of the module's go.mod build."""


def checkers(out: TextIO | None = None) -> Path:
    """The folder of `istioctl` and `pilot-discovery`; builds them at first, 4 to 6 minutes on two cores.

    Progress goes to `out` (standard error). Safe to interrupt and to run twice at once. Raises
    ToolchainError when they cannot be built.
    """
    place = cache() / "istio" / _key()
    if not _complete(place):
        if not shutil.which("go"):
            raise ToolchainError("Istio's checkers are built with Go, and there is no `go` on PATH")
        place.mkdir(parents=True, exist_ok=True)
        progress = Progress("checkers", out)
        with held(place / "lock", lambda holder: progress.say(f"waiting for another build ({holder})")):
            if not _complete(place):
                progress.say(f"building {', '.join(PROGRAMS)}")
                _build(place, progress)
                progress.done(f"built them in {place / 'bin'}")
    return place / "bin"


def _complete(place: Path) -> bool:
    return all((place / "bin" / name).exists() for name in PROGRAMS)


def _key() -> str:
    """Name of the cache's folder: equal exactly when the same programs would come out."""
    digest = hashlib.sha256(repr((sys.platform, platform.machine())).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    return digest.hexdigest()[:16]


def _build(place: Path, progress: Progress) -> None:
    """All programs in one step: they appear together, or not at all."""
    for leftover in place.glob("build-*"):
        shutil.rmtree(leftover)
    compiled = 0

    def heard(line: str | None) -> None:
        nonlocal compiled
        if line is None:
            progress.show(f"{compiled} packages compiled")
        elif not line.startswith("go: "):
            compiled += 1

    with tempfile.TemporaryDirectory(dir=place, prefix="build-") as work:
        options = ["-v", *FLAGS, "-ldflags=-s -w", "-o", f"{work}/"]
        Go(place / LOG).run(["build", *options, "tool"], MODULE, heard)
        (place / "bin").mkdir(exist_ok=True)
        for name in PROGRAMS:
            Path(work, name).rename(place / "bin" / name)
