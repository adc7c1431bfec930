"""`make precheck`: checks whether a stack can be installed on its cluster, and changes nothing."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import sandbox
from cluster import client, proxy, survey
from cluster.client import Api
from cluster.errors import ClusterError, Refused, Unreachable
from cluster.survey import Survey
from cluster.target import OFFLINE, Target, offline
from commands import checks, pulumi_cli, render, stacks, status
from commands.checks import Case, Level, Result
from commands.checks.plan import Plan, plan
from mesh.config.stack import Stack
from mesh.core.errors import UserError
from mesh.core.words import count
from toolchain import ToolchainError

NOT_ASKED: Final = 2
"""Exit code if the cluster could not be reached; 1 if a check found an error, 0 if none did."""

_PREVENTED: Final = (UserError, sandbox.SandboxError, ToolchainError, OSError)


def run(stack: str) -> int:
    """Prints the cluster and the result of each check. Returns the exit code: 0, 1 or NOT_ASKED."""
    try:
        os.environ.update(pulumi_cli.environment(build=False))
        compiled = stacks.load(stack)
        target = Target.named(compiled.settings.context)
        print(f"cluster: context {target.context}, server {target.server}", flush=True)
        results = _results(stack, compiled, target)
    except _PREVENTED as error:
        print(f"error: {str(error).removeprefix('error: ')}", file=sys.stderr)
        return NOT_ASKED
    for line in report(results, stack):
        print(line)
    return int(any(result.level is Level.ERROR for result in results.values()))


def _results(name: str, stack: Stack, target: Target) -> dict[str, Result]:
    refuse_unless_started(name, target)
    with proxy.connect(target) as api, ThreadPoolExecutor() as pool:
        version = kubernetes(name, target, api)
        planned = _plan(name, stack)
        found, recorded = pool.submit(_survey, target, api), pool.submit(pulumi_cli.recorded_state, name)
        case = Case(name, stack.settings, target, planned, api, version, found.result(), recorded.result())
        return {check: _checked(check, case) for check in checks.CHECKS}


def refuse_unless_started(stack: str, target: Target) -> None:
    """Raises Unreachable if the cluster must not be asked, or if it is an embedded cluster that has not been
    started."""
    if offline():
        raise Unreachable(f"{OFFLINE} is set, so the cluster is not asked")
    if target.kubeconfig and not target.kubeconfig.exists():
        raise Unreachable(f"the embedded cluster has not been started{status.hint(stack, target)}")


def kubernetes(stack: str, target: Target, api: Api) -> tuple[int, int]:
    """Kubernetes' (major, minor). It is asked for first, since it shows whether the cluster answers at all.
    Raises ClusterError."""
    try:
        answer = client.get(api, "/version")
    except Unreachable as error:
        raise Unreachable(f"the cluster does not answer: {error}{status.hint(stack, target)}") from None
    found = re.match(r"v(\d+)\.(\d+)", str(answer.get("gitVersion")))
    if not found:
        raise ClusterError(f"{target.server} answers, but not as a Kubernetes API server does")
    return int(found[1]), int(found[2])


def _plan(name: str, stack: Stack) -> Plan:
    with contextlib.redirect_stderr(io.StringIO()):  # the program warns there that it asks no cluster
        return plan(render.record(name, stack=stack), stack.settings)


def _survey(target: Target, server: Api) -> Survey | ClusterError:
    try:
        return survey.read(target, server)
    except Unreachable:
        raise
    except ClusterError as error:
        return error


def _checked(name: str, case: Case) -> Result:
    """The result of one check; a warning if the caller may not read what the check needs."""
    try:
        return checks.CHECKS[name](case)
    except Refused as error:
        return Result(Level.WARNING, f"could not be checked: {error.reason}")


def report(results: Mapping[str, Result], stack: str) -> Iterator[str]:
    """The printed lines: one for each check with its details below it, then the counts and the next command."""
    names = max(map(len, results))
    levels = max(len(level.name) for level in Level)
    for name, result in results.items():
        yield f"{name.ljust(names)}  {result.level.name.lower().ljust(levels)}  {result.text}"
        yield from (f"    {line}" for line in result.details)
    numbers = {level: sum(result.level is level for result in results.values()) for level in Level}
    again = stacks.variables(stack)
    follows = f"fix the errors, then make precheck{again}" if numbers[Level.ERROR] else f"make up{again}"
    yield (
        f"{numbers[Level.OK]} ok, {count(numbers[Level.WARNING], 'warning')},"
        f" {count(numbers[Level.ERROR], 'error')}; next: {follows}"
    )
