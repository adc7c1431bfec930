"""Running Pulumi: where the state is, how secrets are kept, and without a trace in the work tree."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

import sandbox
import toolchain
from cluster.state import StackState
from cluster.target import EMBEDDED
from commands import locks, stackfiles
from commands.stackfiles import PROJECT, ROOT, CommandError
from mesh.config import stack_file

SECRET_BYTES: Final = 24
"""Of a password or key that is made: 32 characters, which is also a length that AES takes."""
COLLECTOR: Final = {"GOGC": "200"}
"""How much Go programs allocate before they look for garbage, in percent of what is in use; Go's own value is 100.
The engine reads and writes a state of megabytes again and again (docs/speed.md)."""
_PROJECT_FILE: Final = f"name: {PROJECT}\nruntime: python\n"


def environment(build: bool = True) -> dict[str, str]:
    """The variables that Pulumi and kubectl need; what the user has set, and a `pulumi login`, come first.

    Builds the toolchain if it is not there yet; without `build` what is on PATH has to do then."""
    env = os.environ
    programs = toolchain.ensure() if build else toolchain.built()
    if programs:
        programs.share_plugin()
    path = [programs.path()] if programs else []
    found = {
        **embedded(),
        "PATH": os.pathsep.join([*path, str(Path(sys.executable).parent), env.get("PATH", "")]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",  # the toolchain has put the provider where Pulumi keeps its plugins
    }
    if "PULUMI_BACKEND_URL" not in env and not _logged_in():
        state = sandbox.home() / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        # Without files of metadata: an engine that is killed while it writes one leaves it empty, and then no engine
        # can read the state itself.
        found["PULUMI_BACKEND_URL"] = f"file://{state}?metadata=skip"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & env.keys():
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase())
    return found


def embedded() -> dict[str, str]:
    """The variable by which the program learns which contexts are embedded clusters."""
    return {EMBEDDED: json.dumps({context: str(file) for context, file in sandbox.kubeconfigs().items()})}


def _logged_in() -> str:
    """The backend of `pulumi login`, or nothing."""
    credentials = Path(os.environ.get("PULUMI_HOME", "~/.pulumi")).expanduser() / "credentials.json"
    try:
        return json.loads(credentials.read_text()).get("current") or ""
    except (OSError, ValueError):
        return ""


def _backend() -> str:
    """The URL of the backend in use."""
    return os.environ.get("PULUMI_BACKEND_URL") or _logged_in()


def _passphrase() -> Path:
    """Made once; only its owner can read it."""
    file = sandbox.home() / "passphrase"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_urlsafe(32))
    return file


def recorded(stack: str) -> StackState | None:
    """What the stack's last update recorded, without making the stack where there is none; None if it cannot be
    read."""
    try:
        done = _export(stack)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return StackState() if "no stack named" in done.stderr else None
    resources = json.loads(done.stdout)["deployment"].get("resources") or []
    return StackState.of({r["urn"]: r.get("outputs") or {} for r in resources})


def _export(stack: str) -> subprocess.CompletedProcess[str]:
    command = ["pulumi", "stack", "export", "--stack", stack]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
    )


class Engine:
    """Pulumi, for one stack.

    Pulumi writes a stack's salt, and secrets that are set, into the stack's file. It therefore works on a copy
    outside the tree, which is brought up to date with the committed file before each command."""

    def __init__(self, stack: str) -> None:
        self.stack = stack
        committed = stack_file.document(stackfiles.path(stack))
        folder = sandbox.home() / "project"
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text(_PROJECT_FILE)
        self.file = folder / f"Pulumi.{stack}.yaml"
        self._update(committed)
        if not locks.recorded(_backend(), stack):
            self._pulumi(["-C", str(folder), "stack", "select", stack, "--create"], quiet=True)

    @property
    def _where(self) -> tuple[str, ...]:
        """The flags that name the stack, and the copy of its file."""
        return ("--stack", self.stack, "--config-file", str(self.file))

    def run(self, command: str, *flags: str, quiet: bool = False) -> int:
        """Runs a command on the stack; its exit code. `quiet`: nothing is shown, and failing is a CommandError.

        Clears the lock of a run that was killed; CommandError if somebody works on the stack."""
        if command != "preview":
            self._unlock()
        flags = (*self._where, *flags)
        if quiet or not sys.stdin.isatty():
            flags = (*flags, "--non-interactive")
        return self._pulumi([command, *flags], quiet)

    def events(self, *flags: str) -> tuple[int, list[dict[str, Any]]]:
        """Previews the stack without showing anything; the exit code, and the engine's own record of events, in which
        secrets are blinded."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "events.json"
            done = self._process(
                ["preview", "--json", "--event-log", str(log), *self._where, "--non-interactive", *flags],
                {"PULUMI_DEBUG_COMMANDS": "true"},  # without it there is no --event-log
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
            if not log.exists():
                raise CommandError(f"pulumi preview failed:\n{(done.stderr or done.stdout).strip()}")
            return done.returncode, [json.loads(line) for line in log.read_text().splitlines()]

    def make_secrets(self, namespace: str, keys: Sequence[str]) -> None:
        """Puts a random value for each key that the stack's config does not hold into the copy of its file, encrypted.

        Nothing that is there is ever changed. CommandError for a key whose value stands there in clear."""
        held = stack_file.document(self.file).get("config") or {}
        for name in (f"{namespace}:{key}" for key in keys):
            if name not in held:
                value = secrets.token_urlsafe(SECRET_BYTES)  # not an argument: others could read those
                command = ["config", "set", "--secret", name, *self._where, "--non-interactive"]
                self._pulumi(command, quiet=True, said=value)
                print(f"made {name}, which the stack's config keeps encrypted", flush=True)
            elif not (isinstance(held[name], dict) and "secure" in held[name]):
                raise CommandError(f"{name} stands in clear in the file of stack {self.stack}: take it out")

    def _unlock(self) -> None:
        held = locks.locks(_backend(), self.stack)
        locks.refuse(held, self.stack)
        locks.end_orphans(str(self.file))
        if held:
            self._pulumi(["cancel", self.stack, "--yes"], quiet=True)
            print(f"cleared the lock of a run that was killed: {held[0]}", flush=True)

    def state(self) -> dict[str, Any]:
        """The stack's recorded deployment."""
        done = _export(self.stack)
        if done.returncode:
            raise CommandError(f"the state of stack {self.stack} cannot be read: {done.stderr.strip()}")
        deployment: dict[str, Any] = json.loads(done.stdout)["deployment"]
        return deployment

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        """Puts a deployment in the place of the recorded one."""
        text = json.dumps({"version": 3, "deployment": deployment})
        self._pulumi(["stack", "import", "--stack", self.stack, "--non-interactive"], quiet=True, said=text)

    def planned(self) -> list[dict[str, Any]]:
        """The resources as an update would leave them: type, name, inputs, parent. Values of secrets are hidden.

        CommandError if the program ends with one."""
        command = ["preview", "--json", *self._where, "--non-interactive"]
        done = self._process(command, stdin=subprocess.DEVNULL, capture_output=True)
        try:
            found = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            raise CommandError(done.stderr.strip() or "pulumi preview failed without a word") from None
        errors = [d["message"].strip() for d in found.get("diagnostics") or [] if d.get("severity") == "error"]
        if done.returncode:
            raise CommandError("\n".join(errors) or done.stderr.strip())
        return list({step["urn"]: step["newState"] for step in found["steps"] if "newState" in step}.values())

    def forget(self) -> None:
        """Drops the stack's state, whatever it holds."""
        self._pulumi(["stack", "rm", self.stack, "--force", "--yes", "--preserve-config"], quiet=True)
        self.file.unlink(missing_ok=True)

    def _update(self, committed: dict[str, Any]) -> None:
        """The committed file, and what Pulumi has added to the copy: its salt, and values that are only there."""
        kept = stack_file.document(self.file) if self.file.exists() else {}
        secret = {k: v for k, v in (kept.get("config") or {}).items() if isinstance(v, dict) and "secure" in v}
        merged = {**kept, **committed, "config": {**secret, **(committed.get("config") or {})}}
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            yaml.safe_dump(merged, out, sort_keys=False)

    def _pulumi(self, args: list[str], quiet: bool = False, said: str | None = None) -> int:
        """Runs Pulumi; `said` is what it reads from its standard input."""
        sys.stdout.flush()
        piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
        done = self._process(args, input=said, **piped)
        if quiet and done.returncode:
            raise CommandError(f"pulumi {' '.join(args)} failed:\n{done.stdout.strip()}")
        return done.returncode

    def _process(
        self, args: Sequence[str], more: Mapping[str, str] | None = None, **how: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs Pulumi to its end, with `more` variables; `how` is what `subprocess.run` takes."""
        # The provider leaves a copy of the kubeconfig, keys and all, in the folder for temporary files.
        with tempfile.TemporaryDirectory(prefix="mesh-", ignore_cleanup_errors=True) as temporary:
            env = {**COLLECTOR, **os.environ, **(more or {}), locks.RUN: str(self.file), "TMPDIR": temporary}
            return subprocess.run(["pulumi", *args], cwd=ROOT, env=env, text=True, check=False, **how)
