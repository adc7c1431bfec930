"""`make up`, `make refresh` and `make down`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from cluster import proxy
from cluster.target import FORCE, Target
from commands import (
    finalizers,
    left_behind,
    live,
    pending,
    pulumi_cli,
    residue,
    stack_cluster,
    stacks,
    teardown,
    unready,
)
from commands.pulumi_cli import PulumiCli
from mesh.config.addons import SECRETS

PREVIEW_ONLY: Final = "--preview-only"
"""Pulumi's flag to show what a command would do. The commands here then change nothing, either."""
AT_THE_END: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""Variable with which the engine writes the state once, at the end of a run."""


def up(stack: str, flags: Sequence[str], force: bool) -> int:
    """Creates or updates the stack. Returns Pulumi's exit code, or 1 if new pods do not get ready in time.

    `force` updates it even if running proxies lose their control plane."""
    settings = stacks.load(stack).settings
    stack_cluster.start_if_embedded(settings)
    pulumi = PulumiCli(stack)
    forced = {FORCE: "1"} if force else {}
    if PREVIEW_ONLY in flags:
        with pulumi_cli.variables(forced):
            return pulumi.run("up", *flags)
    pulumi.make_secrets(SECRETS, settings.addons.secrets)
    was_cut = pending.carry_on(pulumi, settings)
    with pulumi_cli.variables(forced):
        code = pulumi.run("up", *_consent(), *flags)
        if code == 0 and was_cut and pending.settle(pulumi, Target.named(settings.context)):
            # deletes what the program dropped since the interrupted run
            code = pulumi.run("up", *_consent(), *flags)
    state, target = pulumi.state(), Target.named(settings.context)
    with proxy.connect(target) as api:
        if code == 0 and not unready.wait(state, api, settings.timeout):
            code = 1
        if code:
            unready.explain(state, api)
        else:
            left_behind.announce(state, api, settings)
    if code == 0:
        live.start(stack, settings)
    return code


def refresh(stack: str, flags: Sequence[str]) -> int:
    """Updates the state with what changed on the cluster. Returns Pulumi's exit code."""
    settings = stacks.load(stack).settings
    stack_cluster.start_if_embedded(settings)
    pulumi = PulumiCli(stack)
    if PREVIEW_ONLY in flags:
        return pulumi.run("refresh", *flags)
    changing = pending.being_changed(pulumi.state())
    pending.settle(pulumi, stack_cluster.require_same_cluster(pulumi, settings))
    code = pulumi.run("refresh", *_consent(preview=False), *flags)
    pending.mark(pulumi, changing)  # a refresh overlooks fields that a killed run has added
    return code


def down(stack: str, flags: Sequence[str], force: bool, purge: bool) -> int:
    """Deletes everything that the stack created. Returns Pulumi's exit code.

    `force` deletes it even if others still use it. `purge` also deletes the objects that istiod created, as is done
    anyway on an embedded cluster on which it was a process of this project."""
    settings = stacks.load(stack).settings
    stack_cluster.start_if_embedded(settings)
    pulumi = PulumiCli(stack)
    target = stack_cluster.require_same_cluster(pulumi, settings)
    if PREVIEW_ONLY not in flags:
        pending.settle(pulumi, target)
    state = pulumi.state()
    with proxy.connect(target) as api:
        teardown.check(state, api, force=force)
    if PREVIEW_ONLY in flags:
        return pulumi.run("destroy", *flags)
    was_live = live.stop(stack)
    pending.expect_deletion(pulumi, state)
    with pulumi_cli.variables(AT_THE_END):
        code = pulumi.run("destroy", *_consent(preview=False), *flags)
    if code:
        with proxy.connect(target) as api:
            finalizers.explain(pulumi.state(), api)
    pending.record_what_stays(pulumi)
    if code and was_live and pending.urns(pulumi.state()) == pending.urns(state):
        live.start(stack, settings)  # nothing was deleted: the user said no, for example
    if not code:
        residue.report(target, purge=purge or stack_cluster.had_real_istiod(settings))
    return code


def _consent(preview: bool = True) -> list[str]:
    """The flags for running without confirmation, which Pulumi asks for on a terminal only.

    `preview` keeps the preview of a run without a terminal: before an `up` the API server then rejects a wrong object
    before anything has changed."""
    if sys.stdin.isatty():
        return []
    return ["--yes"] if preview else ["--yes", "--skip-preview"]
