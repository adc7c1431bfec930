"""What a release's injector does with a pod in addition to merging its template into it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.proxy.annotations import Check
from mesh.proxy.expr import Node
from mesh.proxy.inputs import Inputs
from mesh.proxy.probes import Rewrites


@dataclass(frozen=True, kw_only=True)
class Injector:
    """The injector of a release."""

    sidecar: Callable[[Inputs], Node]
    """The model of template `sidecar`: what injection adds to a pod, given its inputs."""
    annotations: Mapping[str, Check]
    """By annotation of a pod, the check of its value; the injector refuses the pod if it fails."""
    requested: Callable[[Mapping[str, str], Mapping[str, str]], bool]
    """Whether a pod with these annotations and labels is injected, in a namespace with injection enabled."""
    asks: Callable[[Mapping[str, str], Mapping[str, str]], bool | None]
    """Whether a pod's annotations and labels turn injection on or off; None if they do not, so that the injector's
    configuration decides."""
    scheduled: re.Pattern[str]
    """The pattern of names of Jobs that are attributed to a CronJob. The first group is the CronJob's name."""
    cron_jobs: str
    """The apiVersion that is assumed for CronJobs."""
    repeats: bool
    """Whether a pod that has a sidecar is injected again."""
    network_by_label: bool
    """Whether the pod's network label overrides the installation's network."""
    merge_metrics: Callable[[Mapping[str, Any], dict[str, Any], int], None]
    """Points Prometheus at the agent of a pod, given the pod, its proxy's container and the agent's port."""
    rewrites: Rewrites
    """The probes and hooks that are redirected to the agent."""
    reads: Callable[[Mapping[str, Any]], dict[str, Any]]
    """Returns the fields of a MeshConfig that the injector and its templates read; None for missing ones."""
    variables: tuple[str, ...]
    """The environment variables of istiod in the values (`pilot.env`) that decide what it injects."""
    status_revision: bool
    """Whether the status annotation of the pod names the revision."""
