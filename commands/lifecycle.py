"""Bringing a stack up, taking the cluster's changes into its state, and taking it down."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cluster import proxy
from cluster.target import Target
from commands import guard, live, pending, residue, stacks, teardown, unready
from commands.engine import Engine
from mesh.config.addons import SECRETS


def up(stack: str, flags: Sequence[str]) -> int:
    """Creates or changes the stack; Pulumi's exit code, and 1 if its pods do not get ready."""
    settings = stacks.load(stack).settings
    guard.start_if_embedded(settings)
    engine = Engine(stack)
    engine.make_secrets(SECRETS, settings.addons.secrets)
    was_cut = pending.announce(engine)
    code = engine.run("up", *_consent(flags), *flags)
    if code == 0 and was_cut and pending.settle(engine, Target.named(settings.context)):
        code = engine.run("up", *_consent(flags), *flags)  # what is no longer wanted since the cut
    state, target = engine.state(), Target.named(settings.context)
    with proxy.connect(target) as api:
        if code == 0 and not unready.wait(state, api, settings.timeout):
            code = 1
        if code:
            unready.explain(state, api)
    if code == 0:
        live.start(stack, settings)
    return code


def refresh(stack: str, flags: Sequence[str]) -> int:
    """Takes what changed on the cluster into the state; Pulumi's exit code."""
    settings = stacks.load(stack).settings
    guard.start_if_embedded(settings)
    engine = Engine(stack)
    pending.settle(engine, guard.same_cluster(engine, settings))
    return engine.run("refresh", *_consent(flags, preview=False), *flags)


def down(stack: str, flags: Sequence[str], force: bool, purge: bool) -> int:
    """Removes everything that the stack made; Pulumi's exit code. `force`: also if others still use it. `purge`: also
    what Istio itself leaves."""
    settings = stacks.load(stack).settings
    guard.start_if_embedded(settings)
    engine = Engine(stack)
    target = guard.same_cluster(engine, settings)
    pending.settle(engine, target)
    with proxy.connect(target) as api:
        teardown.check(engine.state(), api, force=force)
    live.stop(stack)
    code = engine.run("destroy", *_consent(flags, preview=False), *flags)
    if code:
        with proxy.connect(target) as api:
            teardown.explain(engine.state(), api)
    else:
        residue.report(target, purge=purge)
    return code


def _consent(flags: Sequence[str], preview: bool = True) -> list[str]:
    """Pulumi asks where there is somebody to ask. Where there is nobody, `preview` tells whether one is of use: before
    an `up` it is, since the API server then refuses what is wrong before anything has changed."""
    if sys.stdin.isatty() or "--preview-only" in flags:
        return []
    return ["--yes"] if preview else ["--yes", "--skip-preview"]
