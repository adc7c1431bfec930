"""Builds missing programs of the toolchain with Go."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from toolchain.golang import Go
from toolchain.pins import HOST_PACKAGES, LANGUAGE_HOST, MODULE, PACKAGES, PROVIDER, SCRIPTS, SDK, Pins
from toolchain.progress import Progress

FLAGS = ["-mod=readonly", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-tags=disable_pgv"]
"""Flags of all builds. Debug information would take a seventh of a cold build, and the linker drops it anyway (-s -w).
`disable_pgv` leaves out the validation of Envoy's messages in Go, which none of the programs runs; Istio's own builds
leave it out, too. Go takes the last `-tags` only: a module with tags of its own replaces these."""

LOG = "build.log"
"""Name of the file with Go's output, in the folder of the build."""


def build(programs: Mapping[str, Path], place: Path, pins: Pins, progress: Progress) -> None:
    """Builds programs, and moves each to its path in `programs` once all of them are built.

    `place` is the cache folder of these pinned versions, whose lock the caller holds. The leftovers of an interrupted
    build are deleted from it. Raises ToolchainError.
    """
    for leftover in place.glob("build-*"):
        shutil.rmtree(leftover)
    go = Go(place / LOG)
    go.check(pins.go, MODULE)
    with tempfile.TemporaryDirectory(dir=place, prefix="build-") as work:
        _build(set(programs), Path(work), pins, go, progress)
        for name, target in programs.items():
            target.parent.mkdir(exist_ok=True)
            Path(work, name).rename(target)


def _build(names: set[str], work: Path, pins: Pins, go: Go, progress: Progress) -> None:
    steps = []
    counter = _Counter(progress)
    if packages := _wanted(PACKAGES, names):
        overlay = _schema(work, go, counter) if "pulumi-resource-kubernetes" in names else []
        steps.append((MODULE, [*FLAGS, *overlay], pins.linker_flags, packages))
    if packages := _wanted(HOST_PACKAGES, names):
        steps.append((LANGUAGE_HOST, FLAGS, "-s -w", packages))
    for module, flags, _, packages in steps:
        counter.expect(go.run(["list", *flags, "-deps", "-f", STALE, *packages.values()], module, counter.on_line))
    counter.building = True
    for module, flags, linker_flags, packages in steps:
        options = ["-v", *flags, f"-ldflags={linker_flags}", "-o", f"{work}/"]
        go.run(["build", *options, *packages.values()], module, counter.on_line)
        for name, package in packages.items():
            (work / _written(package)).rename(work / name)
    for name in names & SCRIPTS.keys():
        shutil.copy(_source(SDK, go, counter) / SCRIPTS[name] / name, work / name)
        (work / name).chmod(0o755)


STALE = '{{if and .Stale (ne .Name "main")}}{{.ImportPath}}{{end}}'
"""Template for `go list` that prints the packages that Go still has to compile. Package `main` is left out, since it is
always stale."""


class _Counter:
    """Counts the modules that Go fetches and the packages that it compiles, by its output."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._fetched = self._compiled = 0
        self._stale: set[str] = set()
        self.building = False

    def expect(self, stale: str) -> None:
        self._stale.update(stale.split())

    def on_line(self, line: str | None) -> None:
        if line is None:
            self._progress.show(self._state())
        elif line.startswith("go: downloading "):
            self._fetched += 1
        elif line in self._stale:
            self._compiled += 1

    def _state(self) -> str:
        if self.building and self._compiled < len(self._stale):
            return f"{self._compiled} of {len(self._stale)} packages"
        if self.building:
            return "linking"
        return f"{self._fetched} modules fetched" if self._fetched else "listing the packages to compile"


def _wanted(packages: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: package for name, package in packages.items() if name in names}


def _written(package: str) -> str:
    """The name of the program that `go build` writes: the last element of the package's path that is not a version."""
    elements = [element for element in package.split("/") if not (element[:1] == "v" and element[1:].isdigit())]
    return elements[-1]


def _schema(work: Path, go: Go, counter: _Counter) -> list[str]:
    """Flags of `go build` that overlay the file that provider/main.go embeds with the provider's schema."""
    schema = _source(PROVIDER, go, counter) / "cmd/pulumi-resource-kubernetes/schema.json"
    overlay = work / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(MODULE / "provider/schema.json"): str(schema)}}))
    return ["-overlay", str(overlay)]


def _source(module: str, go: Go, counter: _Counter) -> Path:
    """The folder of a module's source, which is fetched if necessary."""
    answer = go.run(["mod", "download", "-json", module], MODULE, counter.on_line)
    return Path(json.loads(answer)["Dir"])
