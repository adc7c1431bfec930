"""What is checked before commands that do not run the program, and the embedded cluster that a stack may need."""

from __future__ import annotations

import os

import sandbox
from cluster import survey
from cluster.target import Target
from commands import stackfiles
from commands.engine import Engine
from commands.stackfiles import CommandError
from mesh.config import loading
from mesh.config.settings import Settings


def chosen(stack: str) -> Settings:
    """The stack's settings, with CONTEXT from the command line."""
    return loading.load(stackfiles.config(stack), os.environ.get("CONTEXT") or None)


def target(stack: str) -> Target:
    """The stack's cluster."""
    return Target.named(chosen(stack).context)


def start_if_embedded(stack: str) -> None:
    """Starts the embedded cluster if the stack lives there."""
    if chosen(stack).context == sandbox.CONTEXT:
        sandbox.start()


def same_cluster(engine: Engine) -> Target:
    """Prints which cluster is meant; CommandError unless it is the one that the stack's state belongs to."""
    at = target(engine.stack)
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
