"""The engine, its Kubernetes provider, kubectl and the embedded Kubernetes' programs.

An installed Pulumi that fits is used; what is missing is built with Go, once for each set of pins, into
a cache outside the source tree. Only the standard library is needed.
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
    """Where the programs are."""

    bin: Path
    """The folder of kubectl, the embedded Kubernetes and, if need be, the Kubernetes provider."""
    pulumi: Path
    """The engine: an installed one, or the one that was built, with its language host beside it."""

    def path(self) -> str:
        """What to put before PATH, so that these programs are found and no others of their names.

        The engine's folder is part of it only where PATH would lead to another `pulumi`: an installed one
        often shares its folder with other programs, which must not come before those of the user's choice.
        """
        first = shutil.which("pulumi")
        folders = [self.bin]
        if first is None or Path(first).absolute() != self.pulumi:
            folders.append(self.pulumi.parent)
        return os.pathsep.join(map(str, folders))

    def share_plugin(self) -> None:
        """Puts the provider where Pulumi keeps its plugins, unless it has one. Raises ToolchainError."""
        wanted = pins.read()
        if not installed.has_plugin(wanted):
            installed.share_plugin(self.bin / installed.PLUGIN, wanted)


def ensure(out: TextIO | None = None) -> Toolchain:
    """All programs; builds what is missing, which takes 12 to 15 minutes on two cores at first.

    Progress goes to `out` (standard error). Safe to interrupt and to run twice at once. Raises
    ToolchainError when something can neither be found nor built.
    """
    wanted = pins.read()
    place = cache() / "toolchain" / wanted.key
    engine = installed.pulumi(wanted)
    if _missing(place, engine, wanted):
        place.mkdir(parents=True, exist_ok=True)
        _complete(place, engine, wanted, Progress("toolchain", out))
    return Toolchain(place / "bin", engine or _location(place, "pulumi"))


def built() -> Toolchain | None:
    """All programs, or None where one of them would have to be built first."""
    wanted = pins.read()
    place = cache() / "toolchain" / wanted.key
    engine = installed.pulumi(wanted)
    if _missing(place, engine, wanted):
        return None
    return Toolchain(place / "bin", engine or _location(place, "pulumi"))


def _location(place: Path, name: str) -> Path:
    """Where a built program goes; the engine apart, so that an installed one can take its place."""
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
