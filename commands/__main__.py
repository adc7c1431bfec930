"""`python -m commands COMMAND [STACK] [FLAGS]`: runs the command of a Makefile target. Unknown flags go to Pulumi."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import sandbox
from commands.pulumi_cli import PulumiCli, environment
from commands.stackfiles import CommandError
from mesh.core.errors import UserError
from sandbox import SandboxError
from toolchain import ToolchainError

# Each command imports its own modules: importing the types of the settings takes longer than everything else that
# `preview` does in this process.


def up(stack: str, args: argparse.Namespace) -> int:
    """Creates or changes the stack."""
    from commands import lifecycle

    return _advised(lifecycle.up(stack, args.flags, force=_is_set("FORCE")))


def preview(stack: str, args: argparse.Namespace) -> int:
    """Shows what `up` would do; needs no cluster."""
    return PulumiCli(stack).run("preview", "--diff", *args.flags)


def precheck(stack: str, _: argparse.Namespace) -> int:
    """Checks whether the stack can be installed on its cluster."""
    from commands import precheck as prechecking

    return prechecking.run(stack)


def refresh(stack: str, args: argparse.Namespace) -> int:
    """Updates the state with what changed on the cluster."""
    from commands import lifecycle

    return lifecycle.refresh(stack, args.flags)


def down(stack: str, args: argparse.Namespace) -> int:
    """Deletes everything that the stack created."""
    from commands import lifecycle

    return _advised(lifecycle.down(stack, args.flags, force=_is_set("FORCE"), purge=_is_set("PURGE")))


def show(stack: str, _: argparse.Namespace) -> int:
    """Shows the versions, gateways, addresses and sidecars of the running mesh."""
    from commands import status

    return status.show(stack, as_json=_is_set("JSON"))


def smoke(stack: str, _: argparse.Namespace) -> int:
    """Sends requests to the product page or another host, and compares the answers with the routes."""
    from commands import smoke as smoking

    return smoking.run(stack)


def render(stack: str, args: argparse.Namespace) -> int:
    """Writes the stack's objects as YAML files."""
    if not args.out:
        raise CommandError("OUT is missing: the folder to write to, e.g. make render STACK=demo OUT=rendered")
    from commands import render as rendering

    done = rendering.render(stack, Path(args.out))
    print(f"{done.count} objects in {args.out}: apply {', then '.join(done.folders)} (docs/gitops.md)")
    for text in done.left_out:
        print(f"left out because it is encrypted: {text}")
    return 0


def parity(stack: str, _: argparse.Namespace) -> int:
    """Compares the stack with an Istio that was installed in another way."""
    from commands.parity import report

    return report.run(stack, os.environ.get("FROM", ""))


def adopt(stack: str, _: argparse.Namespace) -> int:
    """Takes over an Istio that was installed in another way."""
    from commands import adopt as adopting

    return _advised(adopting.run(stack, force=_is_set("FORCE")))


def import_(stack: str, _: argparse.Namespace) -> int:
    """Writes a stack file from an IstioOperator, Helm values or an existing installation of Istio."""
    from commands import importing

    source, release = (os.environ.get(name, "") for name in ("FROM", "RELEASE"))
    return importing.run(stack, source, release, force=_is_set("FORCE"))


def upgrade(stack: str, args: argparse.Namespace) -> int:
    """Shows the steps to another release, and writes the next one into the stack file if APPLY is set."""
    from commands import upgrade as upgrading

    to, revision, namespace = (os.environ.get(name, "") for name in ("TO", "REVISION", "NAMESPACE"))
    asked = upgrading.Asked(to=to, revision=revision, namespace=namespace, apply=_is_set("APPLY"), flags=args.flags)
    return upgrading.run(stack, asked)


def dashboard(stack: str, args: argparse.Namespace) -> int:
    """Opens an addon's web pages in the browser."""
    from commands import dashboard as pages

    return pages.run(stack, args.name)


def analyze(stack: str, _: argparse.Namespace) -> int:
    """Prints the findings of the analysis of the stack's objects."""
    from commands import analyze as analyzing

    return analyzing.run(stack)


def policy(stack: str, _: argparse.Namespace) -> int:
    """Prints the policies that the stack violates."""
    from commands import policy as policing

    return policing.run(stack)


def map_(stack: str, args: argparse.Namespace) -> int:
    """Draws a map of the stack's hosts, gateways, routes and services."""
    from commands import map as drawing

    return drawing.run(stack, Path(args.out or "."))


def report(stack: str, args: argparse.Namespace) -> int:
    """Reports what a change does to risks, requests and objects."""
    from commands import report as reporting

    return reporting.run(stack, Path(args.out or reporting.FOLDER), args.base, args.flags)


def graph(stack: str, args: argparse.Namespace) -> int:
    """Draws the stack's components and their dependencies."""
    from commands import graph as drawing

    return drawing.run(stack, Path(args.out or "."))


def start_cluster(stack: str, _: argparse.Namespace) -> int:
    """Starts the stack's embedded cluster."""
    from commands import stack_cluster

    stack_cluster.start(stack)
    return 0


def stop_cluster(stack: str, _: argparse.Namespace) -> int:
    """Stops the stack's embedded cluster; its objects are kept."""
    from commands import stack_cluster

    sandbox.stop(stack_cluster.embedded(stack))
    return 0


def reset_cluster(stack: str, _: argparse.Namespace) -> int:
    """Deletes the stack's embedded cluster, and the state of all stacks on it."""
    from commands import stack_cluster

    return stack_cluster.reset(stack)


def env(stack: str, args: argparse.Namespace) -> int:
    """Prints the environment variables for running `pulumi` by hand, as shell code for `eval`."""
    variables = {**args.environment, "STACK": stack, "STACK_FILE": str(PulumiCli(stack).file)}
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def docs(_: str, __: argparse.Namespace) -> int:
    """Regenerates the tables of the README and of docs/."""
    from commands import reference

    reference.write()
    return 0


def docs_pictures(_: str, args: argparse.Namespace) -> int:
    """Makes the pictures of the docs."""
    from commands.docs_pictures import gallery

    return gallery.run(args.name.split())


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
    "import": import_,
    "upgrade": upgrade,
    "dashboard": dashboard,
    "analyze": analyze,
    "policy": policy,
    "map": map_,
    "graph": graph,
    "report": report,
    "sandbox": start_cluster,
    "sandbox-stop": stop_cluster,
    "sandbox-reset": reset_cluster,
    "env": env,
    "docs": docs,
    "docs-pictures": docs_pictures,
}
WITHOUT_ENGINE: Final = frozenset(
    (
        "render",
        "analyze",
        "policy",
        "map",
        "graph",
        "report",
        "docs",
        "docs-pictures",
        "precheck",
        "parity",
        "import",
        "sandbox",
        "sandbox-stop",
    )
)
"""Commands for which `main` neither builds the toolchain nor sets Pulumi's environment variables."""


def _advised(code: int) -> int:
    """Returns the exit code unchanged; after a failure it prints where troubleshooting is documented."""
    if code:
        print("error messages and their remedies: docs/troubleshooting.md", file=sys.stderr)
    return code


def _is_set(switch: str) -> bool:
    """Whether an environment variable such as FORCE is set to anything but 0."""
    return os.environ.get(switch, "") not in ("", "0")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m commands", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("stack", nargs="?", default="dev")
    parser.add_argument("--out", help="folder to write to")
    parser.add_argument("--base", help="branch or commit to compare with", default="")
    parser.add_argument("--name", help="an addon, or pictures", default="")
    args, flags = parser.parse_known_args()
    args.flags = flags
    try:
        if args.command not in WITHOUT_ENGINE:
            args.environment = environment()
            os.environ.update(args.environment)
        code = COMMANDS[args.command](args.stack, args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # a reader such as `head` has closed the pipe
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
