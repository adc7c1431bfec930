"""The cluster of a stack: starts the embedded one, and checks that a cluster is the one that the stack's state is for.

The program makes that check itself, in an update. Commands that do not run the program use the one here.
"""

from __future__ import annotations

import sandbox
from cluster import survey
from cluster.target import Target
from commands import stackfiles
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from mesh.config.settings import Settings


def start_if_embedded(settings: Settings) -> None:
    """Starts the embedded cluster if the stack's context is that cluster's."""
    if settings.context == sandbox.CONTEXT:
        sandbox.start()


def require_same_cluster(pulumi: PulumiCli, settings: Settings) -> Target:
    """Prints and returns the stack's cluster. Raises CommandError if the stack's state belongs to another one."""
    at = Target.named(settings.context)
    found = survey.take(at)
    print(f"cluster: context {at.context}, server {at.server}, id {found.uid}", flush=True)
    recorded = recorded_provider(pulumi)
    if recorded.get("clusterIdentifier", found.uid) != found.uid:
        raise CommandError(
            f"the state of stack {pulumi.stack} belongs to another cluster: {recorded.get('context')}"
            f" (id {recorded['clusterIdentifier']}). Name its context"
        )
    return at


def recorded_provider(pulumi: PulumiCli) -> dict[str, str]:
    """The inputs of the Kubernetes provider in the stack's state; empty if nothing was ever deployed."""
    resources = pulumi.state().get("resources") or []
    return next((r.get("inputs", {}) for r in resources if r["type"] == "pulumi:providers:kubernetes"), {})


def reset() -> int:
    """Deletes the embedded cluster, and the state of each stack that was on it; the exit code."""
    for stack in stackfiles.names():
        pulumi = PulumiCli(stack)
        if recorded_provider(pulumi).get("context") == sandbox.CONTEXT:
            pulumi.forget()
            print(f"the state of stack {stack} is gone with its cluster")
    sandbox.reset()
    return 0
