"""`make adopt`: an Istio that others have installed becomes a stack's, without any change of what it does.

The objects that stand there are compared with the stack's first. Then they are applied as they are, by the stack's
field manager and with its marks, and imported into its state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from cluster import proxy, survey
from cluster.client import Api
from cluster.state import StackState
from cluster.target import ADOPT, Target
from commands import engine as engines
from commands import guard, imports, stacks, takeover
from commands.engine import Engine
from commands.imports import Resource
from commands.parity import report, sources, wanted
from commands.parity.compare import Difference, differences
from commands.parity.defaults import NOTHING
from commands.parity.normal import Manifest
from commands.parity.sources import Ours
from commands.stackfiles import PROJECT, CommandError
from engine import program
from mesh.analysis.objects import Ref
from mesh.config.addons import SECRETS
from mesh.config.settings import Settings
from mesh.core import kinds, names
from mesh.core.names import ROOT

FORCE_FIELDS: Final = "PULUMI_K8S_ENABLE_PATCH_FORCE"
"""Variable by which the provider takes fields from others."""


def run(name: str, force: bool) -> int:
    """Takes over what stands on the stack's cluster; the exit code. `force`: also where it is not what the stack says,
    which then changes it. CommandError if the stack must not have it."""
    stack = stacks.load(name)
    settings = stack.settings
    guard.start_if_embedded(settings)
    engine = Engine(name)
    at = guard.same_cluster(engine, settings)
    _refuse(name, settings, at)
    here = sources.ours(name, stack)
    with proxy.connect(at) as answers:
        theirs = sources.standing(answers, here.plan)
        _compare(name, here, theirs, force)
        engine.make_secrets(SECRETS, settings.addons.secrets)
        there = {Ref.of(manifest) for manifest in theirs}
        resources = _planned(engine)
        taken = [r for r in resources if _can_be_taken(r, there)]
        if taken:
            print(f"applying {len(taken)} objects as they are, and importing them", flush=True)
            takeover.take(answers, dict(_paths(answers, here, taken)), _manager(taken))
            imports.run(engine, [r for r in resources if _can_be_imported(r, there)])
    return _finish(engine, len(taken))


def _manager(taken: Sequence[Resource]) -> str:
    """The field manager of the stack."""
    return str(taken[0]["inputs"]["metadata"]["annotations"][names.FIELD_MANAGER])


def _refuse(name: str, settings: Settings, at: Target) -> None:
    """CommandError if it is the mesh of another stack, or the cluster is the wrong one."""
    found = survey.take(at)
    recorded = engines.recorded(name) or StackState()
    problems = program.problems(found, recorded, PROJECT, name, ROOT, settings, adopt=True)
    if problems:
        raise CommandError("\n".join(problems))


def _compare(name: str, here: Ours, theirs: Sequence[Manifest], force: bool) -> None:
    """CommandError if there is nothing to take over, or it is not what the stack says; with `force` only says so."""
    ours = {Ref.of(manifest) for manifest in here.objects}
    if not ours & {Ref.of(manifest) for manifest in theirs}:
        raise CommandError(f"nothing of stack {name} stands on this cluster: `make up STACK={name}` installs it")
    found = differences(theirs, here.objects, here.patches)
    for line in report.lines(found, here.component):
        print(line, flush=True)
    unlike = [difference for difference in found if _matters(difference)]
    if unlike and not force:
        raise CommandError(
            f"this is not what stack {name} says. Change the stack's config until `make parity` finds no difference"
            " that matters, or let `make adopt FORCE=1` make it so; nothing was touched"
        )


def _matters(difference: Difference) -> bool:
    """Whether taking over would change, or make, something: objects of others stay, and secrets are the stack's own."""
    stays = difference.whole and difference.ours is NOTHING
    return not (stays or wanted.reason(difference) or difference.object.kind == kinds.SECRET)


@contextmanager
def _adopting() -> Iterator[None]:
    os.environ[ADOPT] = "1"
    try:
        yield
    finally:
        del os.environ[ADOPT]


def _planned(engine: Engine) -> list[dict[str, Any]]:
    """The stack's resources, with inputs that hold the id of its provider, which is made first if it is not there."""
    with _adopting():
        if not guard.provider(engine):
            provider = f"urn:pulumi:{engine.stack}::{PROJECT}::pulumi:providers:kubernetes::{program.PROVIDER}"
            engine.run("up", "--target", provider, "--skip-preview", "--yes", quiet=True)
        return engine.planned()


def _can_be_imported(resource: Resource, there: set[Ref]) -> bool:
    """Whether it is a component, or an object that is the stack's as a whole."""
    if not resource["custom"]:
        return "parent" in resource
    return _can_be_taken(resource, there) and not resource["type"].endswith("Patch")


def _can_be_taken(resource: Resource, there: set[Ref]) -> bool:
    """Whether it is an object that stands there, and no Secret: those the stack makes itself."""
    inputs = resource.get("inputs", {})
    return kinds.of_inputs(inputs) not in (None, kinds.SECRET) and Ref.of(inputs) in there


def _paths(answers: Api, here: Ours, resources: Sequence[Resource]) -> Iterator[tuple[str, Manifest]]:
    served = here.plan.kinds(answers)
    planned = {Ref.of(p.manifest): p for p in here.plan.objects}
    for inputs in (resource["inputs"] for resource in resources):
        one = planned[Ref.of(inputs)]
        kind = served[one.type]
        if kind:
            yield sources.path_of(one, kind), inputs


def _finish(engine: Engine, count: int) -> int:
    """Records what depends on what, and makes the little that cannot be imported."""
    os.environ[FORCE_FIELDS] = "true"
    try:
        code = engine.run("up", "--skip-preview", "--yes")
    finally:
        del os.environ[FORCE_FIELDS]
    if code == 0 and count:
        print(f"adopted: {count} objects are stack {engine.stack}'s now, and `make down` would remove them")
    elif code == 0:
        print(f"there was nothing left to take over: all of it is stack {engine.stack}'s")
    return code
