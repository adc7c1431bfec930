"""Runs Go, reports its progress, and explains its failures."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from toolchain.errors import ToolchainError

GOGC = "400"
"""How far Go's compiler lets its heap grow before it collects garbage, in percent of what is in use. With Go's default,
100, a fifth of a build is garbage collection."""

TICK = 0.3
"""Seconds between two reads of Go's output."""

LAST_LINES = 12
"""Number of lines of a failed command that an error message shows."""

UNREACHABLE = re.compile(
    r"no such host|i/o timeout|connection refused|network is unreachable|proxyconnect|server misbehaving"
    r"|TLS handshake timeout|module lookup disabled|Temporary failure"
)
"""Pattern of Go's messages about modules that cannot be fetched."""


class Go:
    """The `go` program on PATH. Its output goes to one log file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        log.write_text("")

    def check(self, oldest: str, module: Path) -> None:
        """Raises ToolchainError if Go is missing or older than `oldest`, such as `1.24.7`.

        `go env` runs inside the module, so that a Go that may fetch a newer version of itself (GOTOOLCHAIN=auto) counts
        as that version.
        """
        advice = f"Go {oldest} or later is needed to build the engine and the embedded Kubernetes"
        path = shutil.which("go")
        if not path:
            raise ToolchainError(f"{advice}, but there is no `go` on PATH: see https://go.dev/doc/install")
        question = [path, "env", "GOVERSION"]
        asked = subprocess.run(question, check=False, cwd=module, env=_environment(), capture_output=True, text=True)
        found = asked.stdout.strip().removeprefix("go")
        if _numbers(found) < _numbers(oldest):
            version = found or asked.stderr.strip()
            raise ToolchainError(
                f"{advice}, but {path} is too old ({version}): see https://go.dev/doc/install,"
                " or let Go fetch a newer version of itself with GOTOOLCHAIN=auto"
            )

    def run(self, arguments: list[str], module: Path, on_line: Callable[[str | None], None]) -> str:
        """Runs `go <arguments>` in the folder `module`, and returns its standard output.

        `on_line` is called with each line of Go's standard error, and with None every TICK seconds. Raises
        ToolchainError with the last lines if Go fails. If this program is interrupted, Go is ended as well.
        """
        output = self._log.with_suffix(".out")
        with self._log.open("a") as log, self._log.open() as lines, output.open("w+") as out:
            log.write(f"\n$ go {' '.join(arguments)}\n")
            log.flush()
            lines.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                ["go", *arguments],
                cwd=module,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
            try:
                code = None
                while code is None:
                    with suppress(subprocess.TimeoutExpired):
                        code = process.wait(TICK)
                    for line in lines:
                        on_line(line.rstrip())
                    on_line(None)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait()
            if code:
                raise self._failure(arguments[0], code)
            out.seek(0)
            return out.read()

    def _failure(self, command: str, code: int) -> ToolchainError:
        text = self._log.read_text(errors="replace")
        lines = text.rpartition("\n$ go ")[2].splitlines()[1:]
        if code < 0:
            cause = " (often because the memory is used up)" if -code == signal.SIGKILL else ""
            reason = f"`go {command}` was ended by signal {-code}{cause}"
        elif UNREACHABLE.search("\n".join(lines)):
            reason = f"`go {command}` cannot fetch the modules: check the network and GOPROXY"
        else:
            reason = f"`go {command}` failed with code {code}"
        last = "\n".join(f"  {line}" for line in lines[-LAST_LINES:])
        return ToolchainError(f"{reason}\n{last}\nThe whole output is in {self._log}. The compiled packages are kept.")


def _environment() -> dict[str, str]:
    """The environment without the variables that would make Go build for another platform or from other modules, and
    with GOGC unless the user sets it."""
    unwanted = ("GOOS", "GOARCH", "GOBIN", "GO111MODULE")
    kept = {key: value for key, value in os.environ.items() if key not in unwanted}
    return {"GOGC": GOGC, **kept, "GOWORK": "off"}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
