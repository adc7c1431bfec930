"""Runs the `pulumi` program: its environment variables, the stack's state and secrets, and its files, which are kept
outside the work tree."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

import sandbox
import toolchain
from cluster.state import StackState
from cluster.target import EMBEDDED, PREVIEW
from commands import locks, stackfiles
from commands.stackfiles import PROJECT, ROOT, CommandError
from mesh.config import stack_file
from mesh.core import secure

SECRET_BYTES: Final = 24
"""Random bytes of a generated password or key; they are written as 32 characters, a valid length of an AES key."""
COLLECTOR: Final = {"GOGC": "200"}
"""Garbage collection of Go programs: how far the heap may grow between two runs, in percent; Go's default is 100. The
engine reads and writes a state of several megabytes many times (docs/speed.md)."""
_PROJECT_FILE: Final = f"name: {PROJECT}\nruntime: python\n"


def environment(build: bool = True) -> dict[str, str]:
    """The environment variables that Pulumi and kubectl need. Variables of the user and a `pulumi login` take
    precedence.

    Builds a missing toolchain first; without `build`, the programs on PATH are used in that case."""
    env = os.environ
    programs = toolchain.ensure() if build else toolchain.built()
    if programs:
        programs.share_plugin()
    path = [programs.path()] if programs else []
    found = {
        **embedded_clusters(),
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


def embedded_clusters() -> dict[str, str]:
    """The environment variable that tells the program which kubeconfig contexts are embedded clusters."""
    return {EMBEDDED: json.dumps({context: str(file) for context, file in sandbox.kubeconfigs().items()})}


@contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Within it, this process has these environment variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _logged_in() -> str:
    """The URL of the backend that `pulumi login` chose; empty if there is none."""
    credentials = Path(os.environ.get("PULUMI_HOME", "~/.pulumi")).expanduser() / "credentials.json"
    try:
        return json.loads(credentials.read_text()).get("current") or ""
    except (OSError, ValueError):
        return ""


def _backend() -> str:
    """The URL of the backend in use."""
    return os.environ.get("PULUMI_BACKEND_URL") or _logged_in()


def _passphrase() -> Path:
    """The file with the passphrase that encrypts secrets. It is generated once, and readable by its owner only."""
    file = sandbox.home() / "passphrase"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_urlsafe(32))
    return file


def recorded_state(stack: str) -> StackState | None:
    """The outputs that the stack's last update recorded; empty if there is no such stack, which is not created here.
    None if the state cannot be read."""
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


class PulumiCli:
    """The `pulumi` program for one stack.

    Pulumi writes the stack's salt and encrypted secrets into the stack's file. It therefore works on a copy outside
    the work tree, which is updated from the committed file first."""

    def __init__(self, stack: str, proposed: Mapping[str, Any] | None = None) -> None:
        """`proposed` is content in place of that of the stack's file, for previews; it has a copy of its own."""
        self.stack = stack
        self._state: dict[str, Any] | None = None
        content = stackfiles.document(stack) if proposed is None else proposed
        self.file = stackfiles.copy(stack if proposed is None else f"{stack}.proposed")
        folder = self.file.parent
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text(_PROJECT_FILE)
        self._write(content)
        if not locks.stack_exists(_backend(), stack):
            self._pulumi(["-C", str(folder), "stack", "select", stack, "--create"], quiet=True)

    @property
    def _where(self) -> tuple[str, ...]:
        """The flags that name the stack and the copy of its file."""
        return ("--stack", self.stack, "--config-file", str(self.file))

    def run(self, command: str, *flags: str, quiet: bool = False) -> int:
        """Runs a Pulumi command on the stack, and returns its exit code. With `quiet` nothing is printed, and a failure
        raises CommandError.

        Removes the lock of a run that was killed. Raises CommandError if another run holds the stack's lock."""
        if command != "preview":
            self.unlock()
        flags = (*self._where, *flags)
        if quiet or not sys.stdin.isatty():
            flags = (*flags, "--non-interactive")
        if "--json" in flags and not quiet:
            return self._print_json([command, *flags])
        return self._pulumi([command, *flags], quiet)

    def _print_json(self, args: Sequence[str]) -> int:
        """Runs Pulumi, prints its JSON without the values that are not to be shown, and returns the exit code."""
        from commands import stacks  # loads the types of the settings

        shown = stacks.load(self.stack).settings.disclosure
        done = self._process(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            print(json.dumps(shown.masked(json.loads(done.stdout)), indent=4))
        except ValueError:  # an update prints one event per line
            for line in done.stdout.splitlines():
                print(json.dumps(shown.masked(json.loads(line))) if line.startswith("{") else line)
        return done.returncode

    def events(self, *flags: str) -> tuple[int, list[dict[str, Any]]]:
        """Previews the stack silently; the exit code and the engine's event log, in which secrets are hidden."""
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
        """Generates a random value for each config key that is not set, and stores it encrypted in the copy of the
        stack's file. Existing values are never changed. Raises CommandError for a value that is not encrypted."""
        held = stack_file.document(self.file).get("config") or {}
        for name in (f"{namespace}:{key}" for key in keys):
            if name not in held:
                value = secrets.token_urlsafe(SECRET_BYTES)  # not an argument: others could read those
                command = ["config", "set", "--secret", name, *self._where, "--non-interactive"]
                self._pulumi(command, quiet=True, stdin=value)
                print(f"generated {name}; it is stored encrypted in the copy of the stack file", flush=True)
            elif not secure.is_encrypted(held[name]):
                raise CommandError(f"{name} is not encrypted in the stack file of {self.stack}: remove it from there")

    def unlock(self) -> None:
        """Clears the lock of a run that was killed, and ends what still runs of it. Raises CommandError if another run
        holds the stack's lock."""
        held = locks.locks(_backend(), self.stack)
        locks.refuse_if_held(held, self.stack)
        locks.kill_orphaned_plugins(str(self.file))
        if held:
            self._pulumi(["cancel", self.stack, "--yes"], quiet=True)
            print(f"cleared the lock of a run that was killed: {held[0]}", flush=True)

    def state(self) -> Mapping[str, Any]:
        """The stack's recorded state: the `deployment` of `pulumi stack export`. It is read again only after a Pulumi
        command of this object, which may have changed it; callers must not change it."""
        if self._state is None:
            done = _export(self.stack)
            if done.returncode:
                raise CommandError(f"the state of stack {self.stack} cannot be read: {done.stderr.strip()}")
            self._state = json.loads(done.stdout)["deployment"]
        return self._state

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        """Replaces the stack's recorded state. Removes the lock of a run that was killed, as `run` does."""
        self.unlock()
        text = json.dumps({"version": 3, "deployment": deployment})
        self._pulumi(["stack", "import", "--stack", self.stack, "--non-interactive"], quiet=True, stdin=text)

    def planned(self) -> list[dict[str, Any]]:
        """The resources as an update would leave them, from a preview. Values of secrets are hidden.

        Raises CommandError with the preview's errors."""
        command = ["preview", "--json", *self._where, "--non-interactive"]
        done = self._process(command, stdin=subprocess.DEVNULL, capture_output=True)
        try:
            found = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            raise CommandError(done.stderr.strip() or "pulumi preview failed without an error message") from None
        errors = [d["message"].strip() for d in found.get("diagnostics") or [] if d.get("severity") == "error"]
        if done.returncode:
            raise CommandError("\n".join(errors) or done.stderr.strip())
        return list({step["urn"]: step["newState"] for step in found["steps"] if "newState" in step}.values())

    def forget(self) -> None:
        """Deletes the stack's state, even if it still has resources; the objects stay on the cluster."""
        self._pulumi(["stack", "rm", self.stack, "--force", "--yes", "--preserve-config"], quiet=True)
        self.file.unlink(missing_ok=True)

    def _write(self, content: Mapping[str, Any]) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            yaml.safe_dump(content, out, sort_keys=False)

    def _pulumi(self, args: list[str], quiet: bool = False, stdin: str | None = None) -> int:
        """Runs Pulumi, and returns its exit code; `stdin` is the text of its standard input."""
        sys.stdout.flush()
        piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
        done = self._process(args, input=stdin, **piped)
        if quiet and done.returncode:
            raise CommandError(f"pulumi {' '.join(args)} failed:\n{done.stdout.strip()}")
        return done.returncode

    def _process(
        self, args: Sequence[str], variables: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs Pulumi to its end, with further environment variables; `options` go to `subprocess.run`."""
        self._state = None
        # The provider leaves a copy of the kubeconfig, with its keys, in the folder for temporary files.
        with tempfile.TemporaryDirectory(prefix="mesh-", ignore_cleanup_errors=True) as temporary:
            env = {
                **COLLECTOR,
                **os.environ,
                **({PREVIEW: "1"} if args[0] == "preview" else {}),
                **(variables or {}),
                locks.RUN_VARIABLE: str(self.file),
                stack_file.VARIABLE: str(self.file),
                "TMPDIR": temporary,
            }
            return subprocess.run(["pulumi", *args], cwd=ROOT, env=env, text=True, check=False, **options)
