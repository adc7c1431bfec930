"""The running program's stack and cluster, after every check that can refuse the stack.

No resource is registered before these checks have passed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NoReturn

import pulumi
import pulumi_kubernetes as k8s

from cluster import ownership, survey
from cluster.errors import ClusterError, Unreachable
from cluster.state import StackState
from cluster.survey import Survey
from cluster.target import Target, adopting
from engine import config, patches, recorder, sdk
from engine.aliases import FormerParents
from engine.manifests import CreatedObjects
from mesh import releases
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Severity
from mesh.config import installation, loading, settings
from mesh.config.addons import SECRETS
from mesh.config.settings import Settings
from mesh.config.stack import Stack
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
    made: CreatedObjects
    """The objects that the program has made for it so far."""


_GIVEN: ContextVar[Stack | None] = ContextVar("_GIVEN", default=None)


@contextmanager
def given(stack: Stack) -> Iterator[None]:
    """The stack of a program that runs in this process: its config has been compiled already."""
    token = _GIVEN.set(stack)
    try:
        yield
    finally:
        _GIVEN.reset(token)


def connect(root: str, state: Callable[[], StackState]) -> tuple[Stack, Cluster]:
    """Compiles the config, checks the cluster, and returns both. `root` is the namespace that Istio is installed in;
    `state` waits for what the stack has recorded.

    Ends the program with one message if the stack must not be applied. If the cluster does not answer, a preview goes
    on with the recorded state, and an update ends."""
    patches.apply()
    try:
        stack = _GIVEN.get() or loading.load(config.of_stack(), os.environ.get("CONTEXT") or None)
        chosen = stack.settings
        if absent := list(config.missing_secrets(SECRETS, chosen.addons.secrets)):
            raise settings.SettingsError("\n".join(absent))
        target = Target.named(chosen.context)
        found = None if recorder.is_recording() else _found(target)
        recorded = state()
        if found:
            _refuse(found, recorded, root, chosen)
    except (settings.SettingsError, ClusterError) as error:
        _end(str(error))
    _limit(chosen.timeout)
    made = CreatedObjects()
    pulumi.runtime.register_stack_transformation(made.collect)
    pulumi.runtime.register_stack_transformation(FormerParents(recorded.urns).alias)
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
        names.OWNER_PROJECT: pulumi.get_project(),
        names.OWNER_STACK: pulumi.get_stack(),
        names.OWNER_ID: provider.id,
    }
    node = chosen.nodeAddress or (found.node if found else recorded.outputs.get("nodeAddress"))
    facts = {"context": target.context, "id": uid}
    return stack, Cluster(provider, mark, node, target if found else None, facts, made)


def check_objects(stack: Stack, made: CreatedObjects) -> None:
    """Analyses the objects that the program has made: called at its end, before Pulumi registers the first of them.

    Shows warnings, and ends the program with one message if there are errors."""
    if recorder.is_recording():
        return  # who has asked for the objects decides what they are good for
    found = analyse(stack.with_origins(made.objects), stack.settings.mesh_names, stack.settings.analysis.suppress)
    for finding in found:
        if finding.severity == Severity.WARNING:
            pulumi.log.warn(str(finding))
    wrong = [str(finding) for finding in found if finding.severity == Severity.ERROR]
    if wrong:
        _end("\n".join(wrong))


def _end(message: str) -> NoReturn:
    pulumi.log.error(message)
    if sdk.is_plain():
        sys.exit(MESSAGE_WAS_SHOWN)
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
    except Unreachable as error:
        if not pulumi.runtime.is_dry_run():
            raise ClusterError(f"{where}: it does not answer: {error}") from None
        pulumi.log.warn(
            f"{where}: it does not answer ({error}); this preview compares with the recorded state,"
            " and what stands on the cluster has not been checked"
        )
        return None
    pulumi.log.info(f"{where}, Kubernetes {found.version[0]}.{found.version[1]}, id {found.uid}")
    return found


def _refuse(found: Survey, recorded: StackState, root: str, chosen: Settings) -> None:
    names = pulumi.get_project(), pulumi.get_stack()
    found_wrong = problems(found, recorded, *names, root, chosen, adopting())
    if found_wrong:
        raise ClusterError("\n".join(found_wrong))


def problems(
    found: Survey, recorded: StackState, project: str, stack: str, root: str, chosen: Settings, adopt: bool = False
) -> list[str]:
    """Why the stack with these settings must not be applied to the cluster that was found. `adopt`: what bears nobody's
    mark may be taken over."""
    release = releases.get(chosen.release)
    if chosen.base.enabled:
        return list(ownership.problems(found, recorded, release, project, stack, root, chosen.ownership, adopt))
    injector = installation.of(chosen).named(INJECTOR)
    own = {root: "existing"} if chosen.uses_root_namespace else {}
    spaces = {**own, **chosen.ownership}
    return list(ownership.problems_of_guest(found, recorded, release, project, stack, injector, spaces, adopt))
