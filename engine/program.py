"""The running program's stack: its settings, its cluster, and the leave to touch it. Nothing is registered before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, NoReturn

import pulumi
import pulumi_kubernetes as k8s
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from cluster import kubectl, ownership, survey
from cluster.kubectl import Target
from cluster.state import Recorded
from cluster.survey import Survey
from components.addons import secrets
from engine import patches
from engine.aliases import Moved
from engine.manifests import Collected
from mesh import releases
from mesh.analysis.findings import Severity
from mesh.analysis.report import analyse
from mesh.config import installation, loading, origins, settings
from mesh.config.settings import Settings
from mesh.core import names
from mesh.core.names import INJECTOR

PROVIDER: Final = "cluster"
MESSAGE_WAS_SHOWN: Final = 32
"""Exit code by which Pulumi's language host knows that it need not report the program's end as an error of its own."""

NO_LIMIT: Final = -1
"""Requests a second that the provider may make. Its own limit, 50 after the first 120, makes large stacks wait. Since
Kubernetes 1.20 an API server shares itself out fairly (API Priority and Fairness), and Flux leaves it to it too."""


@dataclass(frozen=True)
class Cluster:
    """The stack's cluster."""

    provider: k8s.Provider
    """The one through which every resource goes."""
    mark: Mapping[str, pulumi.Input[str]]
    """Annotations that say that a namespace is this stack's."""
    node: str | None
    """Address at which node ports are reached."""
    target: Target | None
    """How to ask it; None if it does not answer."""
    facts: Mapping[str, str | None]
    """Context and identity, for the stack's outputs."""
    made: Collected
    """The objects that the program has made for it so far."""


def prepare(root: str, state: Future[Recorded]) -> tuple[Settings, Cluster]:
    """The settings, and the cluster after all checks; `root` is the namespace that Istio goes to,
    `state` what the stack has recorded.

    Ends the program with one message if the stack must not go on. A preview goes on without an answer of the
    cluster, against the recorded state; an update does not."""
    patches.speed_up()
    try:
        chosen = loading.from_pulumi()
        if absent := secrets.missing(chosen.addons):
            raise settings.SettingsError("\n".join(absent))
        target = kubectl.target(chosen.context)
        found = None if _is_rendering() else _found(target)
        recorded = state.result()
        if found:
            _refuse(found, recorded, root, chosen)
    except (settings.SettingsError, kubectl.ClusterError) as error:
        _end(str(error))
    _limit(chosen.timeout)
    made = Collected()
    pulumi.runtime.register_stack_transformation(made.take)
    pulumi.runtime.register_stack_transformation(Moved(recorded.urns).take)
    uid = found.uid if found else recorded.provider.get("clusterIdentifier")
    provider = k8s.Provider(
        PROVIDER,
        context=target.context,
        # Empty, the provider finds it by itself as kubectl does. Without a value the SDK records what KUBECONFIG holds:
        # another path would read as a change, and of several paths the provider could make nothing.
        kubeconfig=str(target.kubeconfig or ""),
        cluster_identifier=uid,
        # Otherwise a changed document is a replaced object, and istiod loses it for a moment.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        kube_client_settings=k8s.KubeClientSettingsArgs(qps=NO_LIMIT),
    )
    mark: dict[str, pulumi.Input[str]] = {
        names.PROJECT: pulumi.get_project(),
        names.STACK: pulumi.get_stack(),
        names.ID: provider.id,
    }
    node = chosen.nodeAddress or (found.node if found else recorded.outputs.get("nodeAddress"))
    facts = {"context": target.context, "id": uid}
    return chosen, Cluster(provider, mark, node, target if found else None, facts, made)


def review(chosen: Settings, made: Collected) -> None:
    """Analyses what the program has made, at its end and before any of it is registered.

    Warns of what is doubtful, and ends the program with one message if something is wrong."""
    if _is_rendering():
        return  # who has asked for the objects decides what they are good for
    found = analyse(origins.located(made.objects, chosen), chosen.analysis.suppress)
    for finding in found:
        if finding.severity == Severity.WARNING:
            pulumi.log.warn(str(finding))
    wrong = [str(finding) for finding in found if finding.severity == Severity.ERROR]
    if wrong:
        _end("\n".join(wrong))


def _is_rendering() -> bool:
    """Whether no engine is at the other end, and nothing is deployed from here."""
    return isinstance(get_monitor(), MockMonitor)


def _end(message: str) -> NoReturn:
    pulumi.log.error(message)
    # At once: what the SDK has begun would complain of not being finished, after the message that counts.
    os._exit(MESSAGE_WAS_SHOWN)


def _limit(seconds: int) -> None:
    """Gives every resource the same time to get ready or to be gone; Pulumi's own is ten minutes."""
    limits = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s", delete=f"{seconds}s")

    def limited(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(custom_timeouts=limits))
        return pulumi.ResourceTransformationResult(args.props, opts)

    pulumi.runtime.register_stack_transformation(limited)


def _found(target: Target) -> Survey | None:
    where = f"cluster: context {target.context}, server {target.server}"
    try:
        found = survey.take(target)
    except kubectl.Unreachable as error:
        if not pulumi.runtime.is_dry_run():
            raise kubectl.ClusterError(f"{where}: it does not answer: {error}") from None
        pulumi.log.warn(
            f"{where}: it does not answer ({error}); this preview compares with the recorded state,"
            " and what stands on the cluster has not been checked"
        )
        return None
    pulumi.log.info(f"{where}, Kubernetes {found.version[0]}.{found.version[1]}, id {found.uid}")
    return found


def _refuse(found: Survey, recorded: Recorded, root: str, chosen: Settings) -> None:
    names = pulumi.get_project(), pulumi.get_stack()
    found_wrong = problems(found, recorded, *names, root, chosen, kubectl.adopting())
    if found_wrong:
        raise kubectl.ClusterError("\n".join(found_wrong))


def problems(
    found: Survey, recorded: Recorded, project: str, stack: str, root: str, chosen: Settings, adopt: bool = False
) -> list[str]:
    """Why the stack with these settings must not be applied to the cluster that was found. `adopt`: what bears nobody's
    mark may be taken over."""
    release = releases.get(chosen.release)
    if chosen.base.enabled:
        return list(ownership.problems(found, recorded, release, project, stack, root, chosen.ownership, adopt))
    injector = installation.of(chosen).named(INJECTOR)
    own = {root: "existing"} if chosen.uses_root else {}
    spaces = {**own, **chosen.ownership}
    return list(ownership.problems_of_guest(found, recorded, release, project, stack, injector, spaces, adopt))
