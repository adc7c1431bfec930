"""Builds missing programs of the toolchain with Go."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from toolchain.golang import Go
from toolchain.pins import (
    HOST_PACKAGES,
    KUBERNETES_SDK,
    LANGUAGE_HOST,
    MODULE,
    PACKAGES,
    PROVIDER,
    SCRIPTS,
    SDK,
    Pins,
)
from toolchain.progress import Progress

FLAGS = ["-mod=readonly", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-tags=disable_pgv"]
"""Flags of all builds. Debug information would take a seventh of a cold build, and the linker drops it anyway (-s -w).
`disable_pgv` leaves out the validation of Envoy's messages in Go, which none of the programs runs; Istio's own builds
leave it out, too. Go takes the last `-tags` only: a module with tags of its own replaces these."""

SDK_PARTS = tuple(f"go/kubernetes{part}" for part in ("", "/helm/v4", "/utilities", "/yaml/v2"))
"""The folders of Pulumi's Kubernetes SDK that the provider needs."""

SDK_COPY = "build-kubernetes-sdk"
"""The folder of their copy. It is the same in each build, because Go's compiled packages depend on it."""

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
        try:
            _build(set(programs), Path(work), pins, go, progress)
        finally:
            shutil.rmtree(place / SDK_COPY, ignore_errors=True)
        for name, target in programs.items():
            target.parent.mkdir(exist_ok=True)
            Path(work, name).rename(target)


def _build(names: set[str], work: Path, pins: Pins, go: Go, progress: Progress) -> None:
    steps = []
    counter = _Counter(progress)
    if packages := _wanted(PACKAGES, names):
        own = _of_provider(work, go, counter) if "pulumi-resource-kubernetes" in names else []
        steps.append((MODULE, [*FLAGS, *own], pins.linker_flags, packages))
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


def _of_provider(work: Path, go: Go, counter: _Counter) -> list[str]:
    """Flags of `go build` that overlay the file that provider/main.go embeds with the provider's schema, and that
    replace Pulumi's Kubernetes SDK by a copy with kubernetes-sdk/kinds.go."""
    schema = _source(PROVIDER, go, counter) / "cmd/pulumi-resource-kubernetes/schema.json"
    overlay, modules = work / "overlay.json", work / "go.mod"
    overlay.write_text(json.dumps({"Replace": {str(MODULE / "provider/schema.json"): str(schema)}}))
    sdk = _kubernetes_sdk(work.parent / SDK_COPY, go, counter)
    modules.write_text(f"{(MODULE / 'go.mod').read_text()}\nreplace {KUBERNETES_SDK} => {json.dumps(str(sdk))}\n")
    shutil.copyfile(MODULE / "go.sum", work / "go.sum")
    return ["-overlay", str(overlay), "-modfile", str(modules)]


def _kubernetes_sdk(copy: Path, go: Go, counter: _Counter) -> Path:
    """A copy of the parts of Pulumi's Kubernetes SDK that the provider needs. Go refuses an overlay of files of modules
    that it has fetched."""
    source = _source(KUBERNETES_SDK, go, counter)
    for file in (source / "go.mod", *(one for part in SDK_PARTS for one in (source / part).glob("*.go"))):
        target = copy / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    shutil.copyfile(MODULE / "kubernetes-sdk/kinds.go", copy / "go/kubernetes/yaml/v2/kinds.go")
    return copy


def _source(module: str, go: Go, counter: _Counter) -> Path:
    """The folder of a module's source, which is fetched if necessary."""
    answer = go.run(["mod", "download", "-json", module], MODULE, counter.on_line)
    return Path(json.loads(answer)["Dir"])
