"""Checks whether the stack may be installed on the cluster: Kubernetes' version, and who owns the mesh on it."""

from __future__ import annotations

from dataclasses import replace

from cluster import leftovers
from cluster.errors import ClusterError
from cluster.leftovers import Leftover
from cluster.state import StackState
from commands.checks.case import Case, Level, Result
from commands.stackfiles import PROJECT
from engine import program
from mesh.core import names
from toolchain import pins


def kubernetes(case: Case) -> Result:
    """An error if Kubernetes is too old for the release; a warning if it is newer than the tested version."""
    release, needed = case.release, case.release.kubernetes
    have, want = (".".join(map(str, version)) for version in (case.version, needed.oldest))
    if case.version < needed.oldest:
        return Result(Level.ERROR, f"{have} is too old: {want} or later is needed: {needed.reason}")
    tested = pins.read().kubernetes
    supported = f"; the Istio project supports {release.version} on {needed.supported}" if needed.newest else ""
    if case.version > tuple(map(int, tested.split(".")[:2])):
        return Result(Level.WARNING, f"{have} is newer than {tested}, on which this was tested{supported}")
    return Result(Level.OK, f"{have}; {want} or later is needed, {tested} is tested{supported}")


def owner(case: Case) -> Result:
    """Makes the checks that `up` makes before it creates its first resource: another Istio, the mesh of another stack,
    namespaces, and the cluster of the state."""
    if isinstance(case.survey, ClusterError):
        return Result(Level.ERROR, f"cannot be determined, and `up` needs to know: {case.survey}")
    recorded = case.recorded or StackState()
    mark = case.survey.namespaces.get(case.settings.root, {})
    if case.recorded is None and (mark.get(names.OWNER_PROJECT), mark.get(names.OWNER_STACK)) == (PROJECT, case.stack):
        return Result(
            Level.WARNING,
            f"the cluster has a mesh of project {PROJECT}, stack {case.stack}; whether it is this state's is not known",
            ["the state cannot be read: is Pulumi installed or built, and is this the right backend?"],
        )
    version = max(case.version, case.release.kubernetes.oldest)  # a separate check reports the version
    found = replace(case.survey, version=version)
    problems = program.problems(found, recorded, PROJECT, case.stack, case.settings)
    if problems := problems or program.lowered(found, case.settings):
        return Result(Level.ERROR, "the stack cannot be installed on this cluster", problems)
    if names.OWNER_PROJECT in mark:
        return Result(Level.OK, "the mesh on this cluster is this stack's own")
    left = [] if case.survey.istio else list(leftovers.readable(case.api))
    details = [_left(one, case.target.context) for one in left]
    level = Level.WARNING if any(one.trace.effect for one in left) else Level.OK
    return Result(level, "no Istio and no other stack's mesh; namespaces are as declared", details)


def _left(one: Leftover, context: str) -> str:
    effect = f": {one.trace.effect}" if one.trace.effect else ""
    return f"left by an Istio: {one}{effect}; `{one.removal(context)}` removes it"
