"""`python -m commands COMMAND [STACK] [FLAGS]`: the commands behind the Makefile's targets. Flags go to Pulumi."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from commands.engine import Engine, environment
from commands.stackfiles import CommandError
from mesh.core.errors import UserError
from sandbox import SandboxError
from toolchain import ToolchainError

# What only one command needs is imported there: building the types of the settings takes longer than all of `preview`
# here does.


def up(stack: str, args: argparse.Namespace) -> int:
    """Creates or changes the stack."""
    from commands import lifecycle

    return _advised(lifecycle.up(stack, args.flags))


def preview(stack: str, args: argparse.Namespace) -> int:
    """Shows what `up` would do; needs no cluster."""
    return Engine(stack).run("preview", "--diff", *args.flags)


def precheck(stack: str, _: argparse.Namespace) -> int:
    """Whether the stack can be installed on its cluster."""
    from commands import precheck as prechecking

    return prechecking.run(stack)


def refresh(stack: str, args: argparse.Namespace) -> int:
    """Takes what changed on the cluster into the state."""
    from commands import lifecycle

    return lifecycle.refresh(stack, args.flags)


def down(stack: str, args: argparse.Namespace) -> int:
    """Removes everything that the stack made."""
    from commands import lifecycle

    return _advised(lifecycle.down(stack, args.flags, force=_is_set("FORCE"), purge=_is_set("PURGE")))


def show(stack: str, _: argparse.Namespace) -> int:
    """Versions, gateways, addresses and sidecars of the running mesh."""
    from commands import status

    return status.show(stack)


def smoke(stack: str, _: argparse.Namespace) -> int:
    """Asks the running product page, and compares what answers with the routes."""
    from commands import smoke as smoking

    return smoking.run(stack)


def render(stack: str, args: argparse.Namespace) -> int:
    """Writes the stack's objects as YAML files."""
    if not args.out:
        raise CommandError("OUT is missing: the folder to write to, e.g. make render STACK=demo OUT=rendered")
    from commands import render as rendering

    count = rendering.render(stack, Path(args.out))
    print(f"{count} objects in {args.out}: apply {rendering.FIRST} first, then {rendering.THEN}")
    return 0


def parity(stack: str, _: argparse.Namespace) -> int:
    """Compares the stack with somebody's own Istio."""
    from commands.parity import report

    return report.run(stack, os.environ.get("FROM", ""))


def adopt(stack: str, _: argparse.Namespace) -> int:
    """Makes an Istio that others have installed the stack's."""
    from commands import adopt as adopting

    return _advised(adopting.run(stack, force=_is_set("FORCE")))


def dashboard(stack: str, args: argparse.Namespace) -> int:
    """Shows an addon's pages in the browser."""
    from commands import dashboard as pages

    return pages.run(stack, args.name)


def analyze(stack: str, _: argparse.Namespace) -> int:
    """Says what is wrong with the stack's objects."""
    from commands import analyze as analyzing

    return analyzing.run(stack)


def policy(stack: str, _: argparse.Namespace) -> int:
    """Says which policies the stack does not keep."""
    from commands import policy as policing

    return policing.run(stack)


def map_(stack: str, args: argparse.Namespace) -> int:
    """Draws the stack's mesh."""
    from commands import map as drawing

    return drawing.run(stack, Path(args.out or "."))


def report(stack: str, args: argparse.Namespace) -> int:
    """Says what a change does: risks, requests, objects."""
    from commands import report as reporting

    return reporting.run(stack, Path(args.out or reporting.FOLDER), args.base, args.flags)


def graph(stack: str, args: argparse.Namespace) -> int:
    """Draws the stack's components."""
    from commands import graph as drawing

    return drawing.run(stack, Path(args.out or "."))


def reset(_: str, __: argparse.Namespace) -> int:
    """Deletes the embedded cluster and the state of the stacks that were on it."""
    from commands import guard

    return guard.reset()


def env(stack: str, args: argparse.Namespace) -> int:
    """Prints the variables for using `pulumi` by hand, for `eval`."""
    variables = {**args.environment, "STACK": stack, "STACK_FILE": str(Engine(stack).file)}
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def docs(_: str, __: argparse.Namespace) -> int:
    """Brings the README's config table up to date."""
    from commands import reference

    reference.write()
    return 0


COMMANDS: Final[dict[str, Callable[[str, argparse.Namespace], int]]] = {
    "up": up,
    "preview": preview,
    "precheck": precheck,
    "refresh": refresh,
    "down": down,
    "status": show,
    "smoke": smoke,
    "render": render,
    "parity": parity,
    "adopt": adopt,
    "dashboard": dashboard,
    "analyze": analyze,
    "policy": policy,
    "map": map_,
    "graph": graph,
    "report": report,
    "reset": reset,
    "env": env,
    "docs": docs,
}
WITHOUT_ENGINE: Final = frozenset(
    ("render", "analyze", "policy", "map", "graph", "report", "docs", "precheck", "parity")
)
"""Commands that start neither Pulumi nor a build of it by themselves."""


def _advised(code: int) -> int:
    """The exit code, after a word on where to look if it is that of a failure."""
    if code:
        print("what can go wrong, and what to do then: docs/troubleshooting.md", file=sys.stderr)
    return code


def _is_set(switch: str) -> bool:
    """Whether the user has said `FORCE=1` or the like."""
    return os.environ.get(switch, "") not in ("", "0")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m commands", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("stack", nargs="?", default="dev")
    parser.add_argument("--out", help="folder for rendered files")
    parser.add_argument("--base", help="branch or commit to compare with", default="")
    parser.add_argument("--name", help="an addon", default="")
    args, flags = parser.parse_known_args()
    args.flags = flags
    try:
        if args.command not in WITHOUT_ENGINE:
            args.environment = environment()
            os.environ.update(args.environment)
        code = COMMANDS[args.command](args.stack, args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # of a reader such as `head`, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 128 + signal.SIGPIPE
    except (UserError, SandboxError, ToolchainError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
