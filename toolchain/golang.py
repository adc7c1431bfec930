"""Runs Go, with its progress shown and its failures put into words."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from toolchain.errors import ToolchainError

TICK = 0.3
"""Seconds between two looks at what Go has said."""

LAST_LINES = 12
"""So many lines of a failed command are shown."""

UNREACHABLE = re.compile(
    r"no such host|i/o timeout|connection refused|network is unreachable|proxyconnect|server misbehaving"
    r"|TLS handshake timeout|module lookup disabled|Temporary failure"
)


class Go:
    """The Go of this machine, whose messages go to one log."""

    def __init__(self, log: Path) -> None:
        self._log = log
        log.write_text("")

    def check(self, oldest: str, module: Path) -> None:
        """Refuses a Go that is missing or older than `oldest` (`1.24.7`), before anything is begun.

        Asked inside the module, so that a Go that may fetch a newer one of itself (GOTOOLCHAIN=auto)
        counts as that newer one.
        """
        advice = f"Go {oldest} or later builds the engine and the embedded Kubernetes"
        path = shutil.which("go")
        if not path:
            raise ToolchainError(f"{advice}, and there is no `go` on PATH: see https://go.dev/doc/install")
        question = [path, "env", "GOVERSION"]
        asked = subprocess.run(question, check=False, cwd=module, env=_environment(), capture_output=True, text=True)
        found = asked.stdout.strip().removeprefix("go")
        if _numbers(found) < _numbers(oldest):
            version = found or asked.stderr.strip()
            raise ToolchainError(
                f"{advice}, and {path} is too old ({version}): see https://go.dev/doc/install,"
                " or let Go fetch a newer one of itself with GOTOOLCHAIN=auto"
            )

    def run(self, arguments: list[str], module: Path, heard: Callable[[str | None], None]) -> str:
        """Standard output of `go <arguments>` in the folder `module`.

        `heard` gets each line that Go says on standard error as it comes, and None at every tick.
        Raises ToolchainError with the last lines when Go fails; ends Go when it is itself interrupted.
        """
        output = self._log.with_suffix(".out")
        with self._log.open("a") as log, self._log.open() as said, output.open("w+") as out:
            log.write(f"\n$ go {' '.join(arguments)}\n")
            log.flush()
            said.seek(0, os.SEEK_END)
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
                    for line in said:
                        heard(line.rstrip())
                    heard(None)
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
            cause = " (often: no memory left)" if -code == signal.SIGKILL else ""
            reason = f"`go {command}` was ended by signal {-code}{cause}"
        elif UNREACHABLE.search("\n".join(lines)):
            reason = f"`go {command}` cannot fetch the modules: is there a network, and is GOPROXY right?"
        else:
            reason = f"`go {command}` failed with code {code}"
        last = "\n".join(f"  {line}" for line in lines[-LAST_LINES:])
        return ToolchainError(f"{reason}\n{last}\nThe whole output is in {self._log}. What was compiled is kept.")


def _environment() -> dict[str, str]:
    """This process's environment without what would build for another machine or from another place."""
    unwanted = ("GOOS", "GOARCH", "GOBIN", "GO111MODULE")
    return {key: value for key, value in os.environ.items() if key not in unwanted} | {"GOWORK": "off"}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
