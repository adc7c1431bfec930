"""`python -m sandbox start|stop|status|reset [CONTEXT]`: controls an embedded cluster."""

import argparse
import sys

import sandbox
from cluster.errors import ClusterError
from mesh.core.names import EMBEDDED_CLUSTERS
from toolchain import ToolchainError


def main() -> int:
    parser = argparse.ArgumentParser("python -m sandbox", description="Controls the embedded Kubernetes clusters.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start the programs that are not running")
    start.add_argument(
        "--webhooks",
        action=argparse.BooleanOptionalAction,
        help="whether the API server calls admission webhooks (default: yes; the choice applies until the next stop)",
    )
    start.add_argument(
        "--istiod",
        action=argparse.BooleanOptionalAction,
        help="whether Istio's own istiod runs, for releases of which it is the control plane; other control planes are"
        " simulated (default: as in the last start; `make up` chooses by the stack's releases)",
    )
    stop = commands.add_parser("stop", help="stop the cluster; its objects are kept")
    status = commands.add_parser(
        "status", help="show the processes of the cluster; exit code 0 running, 3 stopped, 1 broken"
    )
    reset = commands.add_parser("reset", help="stop the cluster and delete all its objects and files")
    first, *_ = EMBEDDED_CLUSTERS
    for command in (start, stop, status, reset):
        command.add_argument(
            "context", nargs="?", default=first, choices=EMBEDDED_CLUSTERS, help=f"the cluster (default: {first})"
        )
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except (sandbox.SandboxError, ClusterError, ToolchainError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = f"python -m sandbox start {arguments.context}"
        print(f"\nsandbox: interrupted; `{again}` continues", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "start":
            sandbox.start(arguments.context, arguments.webhooks, arguments.istiod)
        case "stop":
            sandbox.stop(arguments.context)
        case "reset":
            sandbox.reset(arguments.context)
        case "status":
            status = sandbox.status(arguments.context)
            print("\n".join(status.lines))
            return int(status.state)
    return 0


sys.exit(main())
