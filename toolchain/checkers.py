"""Istio's own programs: tests check with them what this project generates, and pilot configures the live sandbox.

They are a module of their own (toolchain/istio), apart from the engine's, with other pins. The mesh itself does not
use them.
"""

import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from toolchain.build import FLAGS, LOG
from toolchain.errors import ToolchainError
from toolchain.golang import Go
from toolchain.locks import held
from toolchain.places import cache
from toolchain.progress import Progress

MODULE = Path(__file__).parent / "istio"

PACKAGES = {
    "istioctl": "istio.io/istio/istioctl/cmd/istioctl",
    "pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery",
}
"""Go package of each program; the tools of the module's go.mod."""
PROGRAMS = tuple(PACKAGES)


def checkers(out: TextIO | None = None) -> Path:
    """The folder of `istioctl` and `pilot-discovery`; builds them at first, 4 to 6 minutes on two cores.

    Progress goes to `out` (standard error). Safe to interrupt and to run twice at once. Raises
    ToolchainError when they cannot be built.
    """
    return _ensure(PROGRAMS, out)


def pilot(out: TextIO | None = None) -> Path:
    """The program `pilot-discovery` alone; built at first, in about 5 minutes on two cores. Otherwise as `checkers`."""
    return _ensure(["pilot-discovery"], out) / "pilot-discovery"


def _ensure(names: Iterable[str], out: TextIO | None) -> Path:
    place = cache() / "istio" / _key()
    if _missing(place, names):
        if not shutil.which("go"):
            raise ToolchainError("Istio's own programs are built with Go, and there is no `go` on PATH")
        place.mkdir(parents=True, exist_ok=True)
        progress = Progress("istio", out)
        with held(place / "lock", lambda holder: progress.say(f"waiting for another build ({holder})")):
            if missing := _missing(place, names):
                progress.say(f"building {', '.join(missing)}")
                _build(missing, place, progress)
                progress.done(f"built {', '.join(missing)} in {place / 'bin'}")
    return place / "bin"


def _missing(place: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if not (place / "bin" / name).exists()]


def _key() -> str:
    """Name of the cache's folder: equal exactly when the same programs would come out."""
    digest = hashlib.sha256(repr((sys.platform, platform.machine())).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    return digest.hexdigest()[:16]


def _build(names: list[str], place: Path, progress: Progress) -> None:
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
        Go(place / LOG).run(["build", *options, *(PACKAGES[name] for name in names)], MODULE, heard)
        (place / "bin").mkdir(exist_ok=True)
        for name in names:
            Path(work, name).rename(place / "bin" / name)
