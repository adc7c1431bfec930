"""What a release's injector does with a pod beside merging its template into it."""

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
    """Whether a pod with these annotations and labels itself says that it is to be injected; None if it says nothing,
    so that the injector's configuration decides."""
    scheduled: re.Pattern[str]
    """The name of a Job that is taken for a CronJob's, whose name is the first group."""
    cron_jobs: str
    """The apiVersion that CronJobs are taken to have."""
    repeats: bool
    """Whether a pod that has a sidecar is injected again."""
    network_by_label: bool
    """Whether the pod's label for its network wins over the installation's network."""
    merge_metrics: Callable[[Mapping[str, Any], dict[str, Any], int], None]
    """Points Prometheus at the agent of a pod, given the pod, its proxy's container and the agent's port."""
    rewrites: Rewrites
    """Which probes are pointed at the agent."""
    reads: Callable[[Mapping[str, Any]], dict[str, Any]]
    """What the injector and its templates read of a MeshConfig, by field; None for one that it does not have."""
    variables: tuple[str, ...]
    """istiod's environment variables that decide what it injects, of those that the values have (`pilot.env`)."""
    status_revision: bool
    """Whether the status that the pod gets names the revision."""
