"""The recordings: what is run for each of them, and what the pictures say about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from commands.docs_pictures import terminal_svg, traffic
from commands.docs_pictures.recorder import Command
from commands.docs_pictures.terminal_svg import Caption
from commands.docs_pictures.workspace import Workspace
from mesh.pictures import svg

COLUMNS, ROWS = 100, 30
"""The size of the terminal. GitHub shows pages about as wide as this many characters in a size that one can read."""
_STATUS_COLUMNS, _STATUS_ROWS = 120, 60
"""`make status` has long lines; a terminal twice as wide is recorded, and cut."""
_YES: Final = {"Do you want to perform this update?": "\x1b[A\r"}
"""The keys for the first choice, `yes`; Pulumi begins at `no`."""
_PAGE: Final = "http://127.0.0.1:31102/productpage"
_BEFORE: Final = """\
  mesh:traffic:
    services:
      reviews:
        versions: [v1, v3]
        route: { v1: 100, v3: 0 }
"""
"""What the canary's page adds to the stack file before v3 gets requests."""
_EDIT: Final = "sed -i 's/v1: 100, v3: 0/v1: 90, v3: 10/' stacks/Pulumi.dev.yaml"

UP: Final = Caption(
    title="make up in a terminal",
    description="make up starts an embedded Kubernetes and previews the objects of Istio, its addons and Bookinfo. It"
    " asks for consent, creates them, and starts the live sandbox. At the end it prints the product page's address.",
)
CANARY: Final = Caption(
    title="A canary in a terminal",
    description="One line of the stack file changes: reviews v3 gets 10 % of the requests instead of none. make preview"
    " shows the two weights, make up applies them, and make smoke counts which version answers.",
)
TRAFFIC: Final = Caption(
    title="Requests on the live sandbox",
    description="A visitor requests the product page. Each arrow between two proxies has the requests per second that"
    " Envoy counted, and the share that failed.",
)
STATUS: Final = Caption(
    title="make status of stack today",
    description="The control plane with istiod's own process, the gateways, the addons, the pods with a sidecar of the"
    " release, and the proxies of the live sandbox, which have certificates of istiod.",
)


def dev(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """The pictures of the stack `dev`, each as the name and the text of its file."""
    workspace.require_free_port("dev")
    terminal = workspace.terminal(COLUMNS, ROWS)
    up = Command(shown="make up", argv=["make", "--silent", "up"], answers=_YES)
    yield "up.svg", terminal_svg.animation(UP, terminal.record([up]), COLUMNS, ROWS)
    yield "traffic.svg", svg.draw(traffic.measure(workspace, "mesh-dev", _PAGE), TRAFFIC.description)
    with (workspace.project / "stacks" / "Pulumi.dev.yaml").open("a") as file:
        file.write(_BEFORE)
    workspace.run("make", "--silent", "up")
    commands = [
        Command(shown=_EDIT, argv=["sh", "-c", _EDIT]),
        Command(shown="make preview", argv=["make", "--silent", "preview"]),
        up,
        Command(shown="make smoke", argv=["make", "--silent", "smoke"]),
    ]
    yield "canary.svg", terminal_svg.animation(CANARY, terminal.record(commands), COLUMNS, ROWS)


def today(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """The pictures of the stack `today`."""
    workspace.require_free_port("today")
    workspace.run("make", "--silent", "up", "STACK=today")
    shown = "make status STACK=today"
    recorded = workspace.terminal(2 * _STATUS_COLUMNS, _STATUS_ROWS).record(
        [Command(shown=shown, argv=["make", "--silent", "status", "STACK=today"])]
    )
    yield "status.svg", terminal_svg.still(STATUS, recorded, _STATUS_COLUMNS, _STATUS_ROWS)
