"""What the checks have to go by, and what a check says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from cluster import client
from cluster.client import Api
from cluster.errors import ClusterError
from cluster.state import StackState
from cluster.survey import Survey
from cluster.target import Target
from commands.checks import dryrun
from commands.checks.dryrun import Trial
from commands.checks.plan import Kind, Plan
from mesh import releases
from mesh.config.settings import Settings
from mesh.releases.release import Release

Manifest = Mapping[str, Any]


class Level(IntEnum):
    """How bad it is."""

    OK = 0
    WARNING = 1
    """It may work, or could not be found out."""
    ERROR = 2
    """`up` would be refused or would not come to its end."""


@dataclass(frozen=True)
class Result:
    """What a check says."""

    level: Level
    text: str
    details: Sequence[str] = ()


@dataclass(frozen=True)
class Case:
    """A stack and the cluster that it is for."""

    stack: str
    settings: Settings
    target: Target
    plan: Plan
    api: Api
    version: tuple[int, int]
    """Kubernetes' (major, minor)."""
    survey: Survey | ClusterError
    """What `up` would read first, or why it could not."""
    recorded: StackState | None
    """The stack's state; None if it cannot be read here."""

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
        """A dry run of each object, in the order of the plan."""
        return dryrun.trials(self.plan.objects, self.kinds, self.api)

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every namespace; Refused if they may not be listed."""
        found = client.items(self.api, "/api/v1/namespaces")
        return {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in found}

    @cached_property
    def services(self) -> Sequence[Manifest]:
        """Every Service on the cluster; Refused if they may not be listed."""
        return client.items(self.api, "/api/v1/services")

    @cached_property
    def nodes(self) -> Sequence[Manifest]:
        """Refused if they may not be listed."""
        return client.items(self.api, "/api/v1/nodes")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence takes them."""
    return ", ".join(names) or "none"
