"""Builds programs that only tests, lint and the sandbox use.

istioctl, promtool, Prometheus and actionlint check files that this project generates. Istio's pilot is the control
plane of the embedded cluster and configures the live sandbox. mesh-serving creates the certificates of simulated
control planes.

They come from separate Go modules (toolchain/istio, toolchain/prometheus, toolchain/actionlint, toolchain/serving),
whose pinned versions are independent of the toolchain's.
"""

import hashlib
import platform
import re
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
    """A Go module with the programs that are built from it."""

    folder: str
    """Name of its folder below this one, and in the cache."""
    packages: Mapping[str, str]
    """Go package of each program; the tools of its go.mod."""
    flags: tuple[str, ...] = ()
    """Additional flags of `go build`."""

    @property
    def path(self) -> Path:
        return Path(__file__).parent / self.folder


ISTIO = Module(
    "istio",
    {
        "istioctl": "istio.io/istio/istioctl/cmd/istioctl",
        "pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery",
        "pilot-agent": "istio.io/istio/pilot/cmd/pilot-agent",
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
"""Built with service discovery for Kubernetes only, which halves the compilation, and without the web pages, which are
not part of the module; its HTTP API works."""
ACTIONLINT = Module("actionlint", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"})
SERVING = Module("serving", {"mesh-serving": "mesh.local/mesh-serving"})
"""A program of this project, which depends on no other module."""


def checkers(module: Module = ISTIO, out: TextIO | None = None) -> Path:
    """The folder of a module's programs. The first call builds them on two cores in 4 to 6 minutes for Istio, three for
    Prometheus, half a minute for actionlint.

    Progress goes to `out` (standard error). It is safe to interrupt the function, and to run it twice at once. Raises
    ToolchainError if a program cannot be built.
    """
    return _ensure(module, module.packages, out)


def pilot(out: TextIO | None = None) -> Path:
    """The path of `pilot-discovery`, which is built separately. The first call takes about 5 minutes on two cores.
    Otherwise like `checkers`."""
    return _ensure(ISTIO, ["pilot-discovery"], out) / "pilot-discovery"


def agent(out: TextIO | None = None) -> Path:
    """The path of `pilot-agent`, which takes 15 s more to build after `pilot`. Otherwise like `checkers`."""
    return _ensure(ISTIO, ["pilot-agent"], out) / "pilot-agent"


def serving(out: TextIO | None = None) -> Path:
    """The path of `mesh-serving`, which is built within seconds. Otherwise like `checkers`."""
    return _ensure(SERVING, SERVING.packages, out) / "mesh-serving"


def istio_date() -> str:
    """The date (ISO 8601) of the commit of Istio that `pilot` is built from, from its pinned version."""
    found = re.search(r"istio\.io/istio v0\.0\.0-(\d{4})(\d\d)(\d\d)", (ISTIO.path / "go.mod").read_text())
    assert found, "the module pins a commit of Istio"
    return "-".join(found.groups())


def _ensure(module: Module, names: Iterable[str], out: TextIO | None) -> Path:
    place = cache() / module.folder / _key(module)
    if _missing(place, names):
        if not shutil.which("go"):
            raise ToolchainError(
                f"{', '.join(names)}: built with Go, but there is no `go` on PATH: see https://go.dev/doc/install"
            )
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
    """Name of the folder in the cache; it depends on everything that the built programs depend on."""
    digest = hashlib.sha256(repr((sys.platform, platform.machine(), *module.flags)).encode())
    for file in (module.path / "go.mod", module.path / "go.sum", *sorted(module.path.glob("*.go"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _build(module: Module, names: list[str], place: Path, progress: Progress) -> None:
    """Builds programs, and moves them to `place` once all of them are built."""
    for leftover in place.glob("build-*"):
        shutil.rmtree(leftover)
    compiled = 0

    def on_line(line: str | None) -> None:
        nonlocal compiled
        if line is None:
            progress.show(f"{compiled} packages compiled")
        elif not line.startswith("go: "):
            compiled += 1

    with tempfile.TemporaryDirectory(dir=place, prefix="build-") as work:
        options = ["-v", *FLAGS, *module.flags, "-ldflags=-s -w", "-o", f"{work}/"]
        Go(place / LOG).run(["build", *options, *(module.packages[name] for name in names)], module.path, on_line)
        (place / "bin").mkdir(exist_ok=True)
        for name in names:
            Path(work, name).rename(place / "bin" / name)
