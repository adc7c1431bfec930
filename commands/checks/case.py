"""The input of a check (`Case`) and its result (`Result`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from cluster import client
from cluster.client import Api
from cluster.discovery import Kind
from cluster.errors import ClusterError
from cluster.state import StackState
from cluster.survey import Survey
from cluster.target import Target
from commands.checks import dryrun
from commands.checks.dryrun import Trial
from commands.checks.plan import Plan
from mesh import releases
from mesh.config.settings import Settings
from mesh.releases.release import Release

Manifest = Mapping[str, Any]


class Level(IntEnum):
    """Severity of a result."""

    OK = 0
    WARNING = 1
    """`up` may fail, or the check could not find out."""
    ERROR = 2
    """`up` would be refused or would fail."""


@dataclass(frozen=True)
class Result:
    """The result of a check: a line, and further lines of details."""

    level: Level
    text: str
    details: Sequence[str] = ()


@dataclass(frozen=True)
class Case:
    """A stack, its cluster, and the cluster's answers that several checks share."""

    stack: str
    settings: Settings
    target: Target
    plan: Plan
    api: Api
    version: tuple[int, int]
    """Kubernetes' (major, minor)."""
    survey: Survey | ClusterError
    """What `up` reads from the cluster first, or the error if it could not."""
    recorded: StackState | None
    """The stack's recorded outputs; None if the state cannot be read."""

    @property
    def release(self) -> Release:
        """The stack's release of Istio."""
        return releases.get(self.settings.release)

    @cached_property
    def kinds(self) -> Mapping[tuple[str, str], Kind | None]:
        """See `Plan.kinds`."""
        return self.plan.kinds(self.api)

    @cached_property
    def trials(self) -> Sequence[Trial]:
        """The dry run of each object, in the order of the plan."""
        return dryrun.trials(self.plan.objects, self.kinds, self.api)

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every namespace on the cluster. Raises Refused if the caller may not list namespaces."""
        found = client.items(self.api, "/api/v1/namespaces")
        return {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in found}

    @cached_property
    def services(self) -> Sequence[Manifest]:
        """Every Service on the cluster. Raises Refused if the caller may not list Services."""
        return client.items(self.api, "/api/v1/services")

    @cached_property
    def nodes(self) -> Sequence[Manifest]:
        """Every node of the cluster. Raises Refused if the caller may not list nodes."""
        return client.items(self.api, "/api/v1/nodes")


def comma_separated(names: Sequence[str]) -> str:
    """`a, b`, or `none` if there are no names."""
    return ", ".join(names) or "none"
