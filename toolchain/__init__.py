"""Provides the programs: Pulumi, its Kubernetes provider, kubectl, and the programs of the embedded Kubernetes.

An installed Pulumi is used if it is suitable. Missing programs are built with Go into a cache outside the source tree,
once for each set of pinned versions. This package only needs Python's standard library.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from toolchain import build, installed, pins
from toolchain.errors import ToolchainError
from toolchain.locks import held
from toolchain.paths import cache
from toolchain.progress import Progress

__all__ = ["Toolchain", "ToolchainError", "built", "cache", "ensure"]


@dataclass(frozen=True)
class Toolchain:
    """The paths of the programs."""

    bin: Path
    """The folder with kubectl, the embedded Kubernetes and, if it was built, the Kubernetes provider."""
    pulumi: Path
    """The `pulumi` program, installed or built; its language host is in the same folder."""

    def path(self) -> str:
        """The folders to put before PATH, so that these programs are found instead of others of the same names.

        The folder of `pulumi` is only included if PATH leads to another one. An installed `pulumi` often shares its
        folder with other programs, which must not take precedence over the user's choice.
        """
        first = shutil.which("pulumi")
        folders = [self.bin]
        if first is None or Path(first).absolute() != self.pulumi:
            folders.append(self.pulumi.parent)
        return os.pathsep.join(map(str, folders))

    def share_plugin(self) -> None:
        """Copies the built provider to Pulumi's plugin folder, if Pulumi has none of the pinned version. Raises
        ToolchainError."""
        wanted = pins.read()
        if not installed.has_plugin(wanted):
            installed.share_plugin(self.bin / installed.PLUGIN, wanted)


def ensure(out: TextIO | None = None) -> Toolchain:
    """All programs. Missing ones are built first, which takes about 10 minutes on two cores for all of them.

    Progress goes to `out` (standard error). It is safe to interrupt the function, and to run it twice at once. Raises
    ToolchainError if a program can neither be found nor built.
    """
    wanted = pins.read()
    place = cache() / "toolchain" / wanted.key
    engine = installed.pulumi(wanted)
    if _missing(place, engine, wanted):
        place.mkdir(parents=True, exist_ok=True)
        _complete(place, engine, wanted, Progress("toolchain", out))
    return Toolchain(place / "bin", engine or _location(place, "pulumi"))


def built() -> Toolchain | None:
    """All programs, if they exist already; None if one is missing."""
    wanted = pins.read()
    place = cache() / "toolchain" / wanted.key
    engine = installed.pulumi(wanted)
    if _missing(place, engine, wanted):
        return None
    return Toolchain(place / "bin", engine or _location(place, "pulumi"))


def _location(place: Path, name: str) -> Path:
    """The path of a built program. Pulumi and its scripts have a folder of their own, so that an installed Pulumi can
    take their place."""
    return place / ("engine" if name in pins.ENGINE else "bin") / name


def _missing(place: Path, engine: Path | None, wanted: pins.Pins) -> list[str]:
    names = [*pins.PACKAGES, *pins.HOST_PACKAGES, *pins.SCRIPTS]
    there = {name for name in names if _location(place, name).exists()}
    if engine:
        there.update(pins.ENGINE)
        if installed.has_plugin(wanted):
            there.add(installed.PLUGIN)
    return [name for name in names if name not in there]


def _complete(place: Path, engine: Path | None, wanted: pins.Pins, progress: Progress) -> None:
    waiting = f"waiting for another build, whose log is {place / build.LOG}"
    with held(place / "lock", lambda holder: progress.say(f"{waiting} ({holder})")):
        missing = _missing(place, engine, wanted)
        if engine and installed.PLUGIN in missing and installed.fetch_plugin(engine, wanted, progress):
            missing.remove(installed.PLUGIN)
        if missing:
            progress.say(f"building {', '.join(missing)}")
            build.build({name: _location(place, name) for name in missing}, place, wanted, progress)
            progress.done(f"built {len(missing)} programs in {place}")
