"""The cluster of a stack: starts and resets an embedded cluster, and checks that a cluster is the one that the stack's
state belongs to.

During an update the program makes this check itself. Commands that do not run the program use the check here.
"""

from __future__ import annotations

import os

import sandbox
from cluster import survey
from cluster.target import Target
from commands import stackfiles, stacks
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from mesh.config.settings import Settings
from mesh.core.names import EMBEDDED_CLUSTERS
from sandbox import istiod, paths


def embedded(stack: str) -> str:
    """The context from CONTEXT or else from the stack file. Raises CommandError if it is not an embedded cluster, and
    StackFileError."""
    context = os.environ.get("CONTEXT") or stackfiles.config(stack).get("mesh:context")
    if context and context in EMBEDDED_CLUSTERS:
        return context
    whose = f"is for {context}, which is not an embedded cluster" if context else "names no context"
    raise CommandError(
        f"stack {stack} {whose}. The embedded ones are {' and '.join(EMBEDDED_CLUSTERS)}:"
        " name one with CONTEXT=, or name a stack that uses one with STACK="
    )


def start(stack: str) -> None:
    """Starts the stack's embedded cluster. If CONTEXT names another cluster than the stack's own, that cluster
    keeps its istiod."""
    context = embedded(stack)
    if stackfiles.config(stack).get("mesh:context", context) == context:
        start_if_embedded(stacks.load(stack).settings)
    else:
        sandbox.start(context)


def start_if_embedded(settings: Settings) -> None:
    """Starts the stack's cluster if it is an embedded one, with the real istiod if the stack has such a control plane.
    A real istiod that runs for another stack keeps running."""
    if settings.context and settings.context in EMBEDDED_CLUSTERS:
        sandbox.start(settings.context, istiod=has_real_istiod(settings) or None)


def has_real_istiod(settings: Settings) -> bool:
    """Whether the stack is on an embedded cluster and has a control plane that is the real istiod."""
    real = any(mesh.release.runs_istiod for mesh in settings.installations.values())
    return settings.context in EMBEDDED_CLUSTERS and real


def had_real_istiod(settings: Settings) -> bool:
    """Whether the stack is on an embedded cluster on which the real istiod runs or has run."""
    return settings.context in EMBEDDED_CLUSTERS and istiod.chosen(paths.layout(str(settings.context)))


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


def reset(stack: str) -> int:
    """Deletes the stack's embedded cluster, and the state of each stack on it. Returns the exit code 0."""
    context = embedded(stack)
    for name in stackfiles.names():
        pulumi = PulumiCli(name)
        if recorded_provider(pulumi).get("context") == context:
            pulumi.forget()
            print(f"deleted the state of stack {name} with its cluster")
    sandbox.reset(context)
    return 0
