"""What is checked before commands that do not run the program, and the embedded cluster that a stack may need."""

from __future__ import annotations

import sandbox
from cluster import survey
from cluster.target import Target
from commands import stackfiles
from commands.engine import Engine
from commands.stackfiles import CommandError
from mesh.config.settings import Settings


def start_if_embedded(settings: Settings) -> None:
    """Starts the embedded cluster if the stack lives there."""
    if settings.context == sandbox.CONTEXT:
        sandbox.start()


def same_cluster(engine: Engine, settings: Settings) -> Target:
    """Prints which cluster is meant; CommandError unless it is the one that the stack's state belongs to."""
    at = Target.named(settings.context)
    found = survey.take(at)
    print(f"cluster: context {at.context}, server {at.server}, id {found.uid}", flush=True)
    recorded = provider(engine)
    if recorded.get("clusterIdentifier", found.uid) != found.uid:
        raise CommandError(
            f"the state of stack {engine.stack} belongs to another cluster: {recorded.get('context')}"
            f" (id {recorded['clusterIdentifier']}). Name its context"
        )
    return at


def provider(engine: Engine) -> dict[str, str]:
    """The inputs of the stack's recorded provider; empty if nothing was ever deployed."""
    resources = engine.state().get("resources") or []
    return next((r.get("inputs", {}) for r in resources if r["type"] == "pulumi:providers:kubernetes"), {})


def reset() -> int:
    """Deletes the embedded cluster, and with it the state of each stack that was on it."""
    for stack in stackfiles.names():
        engine = Engine(stack)
        if provider(engine).get("context") == sandbox.CONTEXT:
            engine.forget()
            print(f"the state of stack {stack} is gone with its cluster")
    sandbox.reset()
    return 0
