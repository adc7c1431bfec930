"""Programs of others beside the toolchain: Istio's and Prometheus' own, with which tests check what this project
generates, actionlint for GitHub's workflows, and Istio's pilot, which configures the live sandbox. The mesh itself does
not use them.

Each module of theirs (toolchain/istio, toolchain/prometheus, toolchain/actionlint) is apart from the engine's, with
other pins.
"""

import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from toolchain.build import FLAGS, LOG
from toolchain.errors import ToolchainError
from toolchain.golang import Go
from toolchain.locks import held
from toolchain.paths import cache
from toolchain.progress import Progress


@dataclass(frozen=True)
class Module:
    """A Go module whose tools are built."""

    folder: str
    """Below this one; also the name of its part of the cache."""
    packages: Mapping[str, str]
    """Go package of each program; the tools of its go.mod."""
    flags: tuple[str, ...] = ()
    """Of Go, beside those that everything is built with."""

    @property
    def path(self) -> Path:
        return Path(__file__).parent / self.folder


ISTIO = Module(
    "istio",
    {
        "istioctl": "istio.io/istio/istioctl/cmd/istioctl",
        "pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery",
    },
)
PROMETHEUS = Module(
    "prometheus",
    {
        "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
        "promtool": "github.com/prometheus/prometheus/cmd/promtool",
    },
    ("-tags=remove_all_sd,enable_kubernetes_sd",),
)
"""Without the ways to find targets in other places than Kubernetes: half as much to compile. Without its pages, which
are not part of the module; it answers questions over HTTP all the same."""
ACTIONLINT = Module("actionlint", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"})


def checkers(module: Module = ISTIO, out: TextIO | None = None) -> Path:
    """The folder of the module's programs; builds them at first: Istio's in 4 to 6 minutes on two cores, Prometheus'
    in three, actionlint in half a minute.

    Progress goes to `out` (standard error). Safe to interrupt and to run twice at once. Raises
    ToolchainError when they cannot be built.
    """
    return _ensure(module, module.packages, out)


def pilot(out: TextIO | None = None) -> Path:
    """The program `pilot-discovery` alone; built at first, in about 5 minutes on two cores. Otherwise as `checkers`."""
    return _ensure(ISTIO, ["pilot-discovery"], out) / "pilot-discovery"


def _ensure(module: Module, names: Iterable[str], out: TextIO | None) -> Path:
    place = cache() / module.folder / _key(module)
    if _missing(place, names):
        if not shutil.which("go"):
            raise ToolchainError(f"{', '.join(names)}: built with Go, and there is no `go` on PATH")
        place.mkdir(parents=True, exist_ok=True)
        progress = Progress(module.folder, out)
        with held(place / "lock", lambda holder: progress.say(f"waiting for another build ({holder})")):
            if missing := _missing(place, names):
                progress.say(f"building {', '.join(missing)}")
                _build(module, missing, place, progress)
                progress.done(f"built {', '.join(missing)} in {place / 'bin'}")
    return place / "bin"


def _missing(place: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if not (place / "bin" / name).exists()]


def _key(module: Module) -> str:
    """Name of the cache's folder: equal exactly when the same programs would come out."""
    digest = hashlib.sha256(repr((sys.platform, platform.machine(), *module.flags)).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((module.path / name).read_bytes())
    return digest.hexdigest()[:16]


def _build(module: Module, names: list[str], place: Path, progress: Progress) -> None:
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
        options = ["-v", *FLAGS, *module.flags, "-ldflags=-s -w", "-o", f"{work}/"]
        Go(place / LOG).run(["build", *options, *(module.packages[name] for name in names)], module.path, heard)
        (place / "bin").mkdir(exist_ok=True)
        for name in names:
            Path(work, name).rename(place / "bin" / name)
