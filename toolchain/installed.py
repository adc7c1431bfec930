"""Finds an installed Pulumi that can be used instead of building one, and manages its Kubernetes plugin."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.paths import cache
from toolchain.pins import Pins
from toolchain.progress import Progress

PLUGIN = "pulumi-resource-kubernetes"

VERSION_LIMIT = 20
"""Timeout of `pulumi version`, in seconds."""

PLUGIN_LIMIT = 60
"""Timeout of fetching the Kubernetes plugin, in seconds."""


def pulumi(pins: Pins) -> Path | None:
    """The first suitable `pulumi` on PATH, or None.

    It is suitable if it has the pinned major version, is not older than the pinned version, and has its Python language
    host in the same folder. The Python SDK, the state and the plugins need such a version.
    """
    for folder in os.get_exec_path():
        path = Path(folder).absolute() / "pulumi"
        if not os.access(path, os.X_OK) or cache() in path.parents:
            continue
        if _has_host(path) and _fits(_version(path), pins.pulumi):
            return path
    return None


def _has_host(path: Path) -> bool:
    """Whether the language host is in the folder of `path` or, if `path` is a link, of its target."""
    hosts = (candidate.with_name("pulumi-language-python") for candidate in (path, path.resolve()))
    return any(os.access(host, os.X_OK) for host in hosts)


def _fits(found: str, wanted: str) -> bool:
    numbers = [re.match(r"v?(\d+)\.(\d+)\.(\d+)", version) for version in (found, wanted)]
    if not all(numbers):
        return False
    have, need = (tuple(map(int, match.groups())) for match in numbers if match)
    return have[0] == need[0] and have >= need


def _version(path: Path) -> str:
    """The output of `pulumi version`, cached until the file changes."""
    status = path.stat()
    identity = f"{path} {status.st_mtime_ns} {status.st_size}"
    memory = cache() / "installed-pulumi.json"
    try:
        remembered = json.loads(memory.read_text())
        if remembered["identity"] == identity:
            return str(remembered["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    version = _ask(path)
    fresh = memory.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"identity": identity, "version": version}))
    fresh.replace(memory)
    return version


def _ask(path: Path) -> str:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        command = [str(path), "version"]
        asked = subprocess.run(
            command, check=True, env=environment, capture_output=True, text=True, timeout=VERSION_LIMIT
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()


def _plugin_folder(pins: Pins) -> Path:
    """The folder in which Pulumi keeps the pinned Kubernetes provider."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    return home / "plugins" / f"resource-kubernetes-v{pins.provider}"


def has_plugin(pins: Pins) -> bool:
    """Whether Pulumi's plugin folder has the complete pinned Kubernetes provider."""
    folder = _plugin_folder(pins)
    partial = folder.with_name(f"{folder.name}.partial")
    return (folder / PLUGIN).exists() and not partial.exists()


def share_plugin(built: Path, pins: Pins) -> None:
    """Puts the built provider into Pulumi's plugin folder. Raises ToolchainError.

    Pulumi would also find it on PATH, but print a warning at each run."""
    folder = _plugin_folder(pins)
    fresh = folder / f"{PLUGIN}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(built, fresh)
        except OSError:  # another file system
            shutil.copy2(built, fresh)
        fresh.replace(folder / PLUGIN)
    except OSError as error:
        raise ToolchainError(f"the Kubernetes provider cannot be put into Pulumi's plugin folder: {error}") from None


def fetch_plugin(program: Path, pins: Pins, progress: Progress) -> bool:
    """Runs `pulumi plugin install` for up to PLUGIN_LIMIT seconds. Returns whether the plugin is installed then."""
    progress.say(f"fetching the Kubernetes plugin {pins.provider} with {program}")
    command = [str(program), "plugin", "install", "resource", "kubernetes", pins.provider]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            command, check=False, env=environment, capture_output=True, text=True, timeout=PLUGIN_LIMIT
        )
        reason = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        reason = f"no answer within {PLUGIN_LIMIT} s"
    if has_plugin(pins):
        return True
    progress.say(f"the plugin cannot be fetched ({reason}): it is built instead")
    return False
