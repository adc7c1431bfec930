"""`python -m sandbox start|stop|status|reset`: controls the embedded cluster."""

import argparse
import sys

import sandbox
from cluster.errors import ClusterError
from toolchain import ToolchainError


def main() -> int:
    parser = argparse.ArgumentParser("python -m sandbox", description="The embedded Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start what is not running")
    start.add_argument(
        "--webhooks",
        action=argparse.BooleanOptionalAction,
        help="whether the API server calls admission webhooks (default: no; the choice holds until the next stop)",
    )
    commands.add_parser("stop", help="stop it; its objects are kept")
    commands.add_parser("status", help="show its processes; exit code 0 running, 3 stopped, 1 broken")
    commands.add_parser("reset", help="stop it and delete all its objects and files")
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except (sandbox.SandboxError, ClusterError, ToolchainError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsandbox: interrupted; `python -m sandbox start` carries on", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "start":
            sandbox.start(arguments.webhooks)
        case "stop":
            sandbox.stop()
        case "reset":
            sandbox.reset()
        case "status":
            status = sandbox.status()
            print("\n".join(status.lines))
            return int(status.state)
    return 0


sys.exit(main())
