"""The stack and the cluster of the running program, and the checks that can refuse an update.

No resource is registered before `connect` has checked config and cluster.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NoReturn

import pulumi
import pulumi_kubernetes as k8s

from cluster import definitions, foreign, in_place, ownership, proxy, survey
from cluster.errors import ClusterError, Unreachable
from cluster.foreign import Wanted
from cluster.removal import Removal
from cluster.state import StackState
from cluster.survey import Definition, Survey
from cluster.target import Target, adopting, forced, previewing
from engine import config, patches, recorder, sdk
from engine.aliases import FormerUrns
from engine.manifests import CreatedObjects
from engine.moves import Moves
from engine.patched import PatchedObjects
from engine.secrets import Secrets
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Severity
from mesh.config import loading, settings
from mesh.config.addons import SECRETS
from mesh.config.settings import Settings
from mesh.config.stack import Stack
from mesh.core import kinds, names, words

PROVIDER: Final = "cluster"
MESSAGE_WAS_SHOWN: Final = 32
"""Exit code that tells Pulumi's language host not to report an error of its own, since the program has logged one."""

_WITH_OWNER: Final = (
    *(kinds.NAMESPACE, kinds.CUSTOM_RESOURCE_DEFINITION),
    *(kinds.MUTATING_WEBHOOK, kinds.VALIDATING_WEBHOOK),
)
"""Kinds whose owner `cluster.ownership` checks."""
NO_LIMIT: Final = -1
"""Rate limit of the provider in requests per second: none. The default, 50 after a burst of 120, slows down large
stacks. Since Kubernetes 1.20 API servers protect themselves (API Priority and Fairness); Flux sets no limit either."""


@dataclass(frozen=True)
class Cluster:
    """The cluster that the stack is applied to."""

    provider: k8s.Provider
    """The provider of every Kubernetes resource of the stack."""
    owner: Mapping[str, pulumi.Input[str]]
    """Annotations that name this stack as the owner of a namespace or definition."""
    node: str | None
    """Address of the node ports; None if it is not known."""
    target: Target | None
    """The cluster's kubeconfig context; None if the cluster does not answer."""
    identity: Mapping[str, str | None]
    """`context` and `id`, for the stack's output `cluster`."""
    patched: PatchedObjects
    """The patches of the objects."""
    created: CreatedObjects
    """The objects that the program has created so far."""
    new: Sequence[Wanted]
    """The created objects that the state does not have."""
    namespaces: Collection[str]
    """The namespaces on the cluster."""
    definitions: Mapping[str, Definition]
    """The definitions of Istio's API on the cluster."""
    secrets: Secrets
    """The values that previews must not show."""
    moves: pulumi.ResourceHook | None
    """The hook of workloads that move to another control plane; None if the cluster does not answer."""


_GIVEN: ContextVar[Stack | None] = ContextVar("_GIVEN", default=None)


@contextmanager
def using_stack(stack: Stack) -> Iterator[None]:
    """Makes `connect` use a stack that is already compiled, for a program that runs in this process."""
    token = _GIVEN.set(stack)
    try:
        yield
    finally:
        _GIVEN.reset(token)


def connect(state: Callable[[], StackState]) -> tuple[Stack, Cluster]:
    """Compiles the stack's config and checks the cluster. `state` returns the stack's recorded state.

    Ends the program with one message if the stack must not be applied. If the cluster does not answer, a preview
    compares with the recorded state, and an update ends."""
    patches.apply()
    try:
        read = config.of_stack(pulumi.get_stack())
        stack = _GIVEN.get() or loading.load(read.values, os.environ.get("CONTEXT") or None)
        chosen = stack.settings
        made = config.missing_secrets(SECRETS, chosen.addons.secrets)
        if absent := [*made, *config.missing_secrets(SECRETS, chosen.addons.credentials, made=False)]:
            raise settings.SettingsError("\n".join(absent))
        target = Target.named(chosen.context)
        found = None if recorder.is_recording() else _survey(target)
        recorded = state()
        if going := recorded.being_deleted:
            raise ClusterError(
                f"a teardown of this stack was interrupted: its state lists {words.count(going, 'object')} that may"
                " be gone. `make up` and `make down` continue from there; without make, run `pulumi refresh` first"
            )
        if found:
            found = _accepted(found, recorded, chosen)
        elif moved := in_place.moved(recorded, chosen.root):
            raise ClusterError(moved)
    except (settings.SettingsError, ClusterError) as error:
        _end(str(error))
    _set_timeouts(chosen.timeout)
    patched = PatchedObjects(stack)
    pulumi.runtime.register_stack_transformation(patched.apply)  # before the transformations that read the objects
    created = CreatedObjects()
    pulumi.runtime.register_stack_transformation(created.collect)
    former = FormerUrns(recorded.urns)
    pulumi.runtime.register_stack_transformation(former.alias)
    secrets = Secrets(read.secrets, chosen.disclosure)
    if not recorder.is_recording():  # the caller that records the resources decides what to show
        pulumi.runtime.register_stack_transformation(secrets.protect)
    uid = found.uid if found else recorded.provider.get("clusterIdentifier")
    provider = k8s.Provider(
        PROVIDER,
        context=target.context,
        # If it is empty, the provider finds the file as kubectl does. Without a value the SDK would record KUBECONFIG:
        # a changed path would be a diff, and the provider does not understand several paths.
        kubeconfig=str(target.kubeconfig or ""),
        cluster_identifier=uid,
        # Otherwise a changed ConfigMap is replaced, and istiod cannot find it for a moment.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        kube_client_settings=k8s.KubeClientSettingsArgs(qps=NO_LIMIT),
    )
    owner: dict[str, pulumi.Input[str]] = {
        names.OWNER_PROJECT: pulumi.get_project(),
        names.OWNER_STACK: pulumi.get_stack(),
        names.OWNER_ID: provider.id,
    }
    node = chosen.nodeAddress or (found.node if found else recorded.outputs.get("nodeAddress"))
    identity = {"context": target.context, "id": uid}
    return stack, Cluster(
        provider,
        owner,
        node,
        target if found else None,
        identity,
        patched,
        created,
        former.new,
        found.namespaces if found else (),
        found.definitions if found else {},
        secrets,
        Moves(target, chosen.timeout).hook if found else None,
    )


def check_patches(patched: PatchedObjects) -> None:
    """Ends the program with one message if patches are wrong. Called at the end of the program, before Pulumi registers
    the first object. Raises SettingsError instead if the resources are recorded."""
    if not (wrong := "\n".join(patched.problems())):
        return
    if recorder.is_recording():
        raise settings.SettingsError(wrong)
    _end(wrong)


def check_objects(stack: Stack, created: CreatedObjects) -> None:
    """Analyzes the objects that the program has created. Called at the end of the program, before Pulumi registers the
    first object.

    Logs warnings, and ends the program with one message if there are errors. If the resources are recorded, raises
    SettingsError for objects that are created twice, and leaves the analysis to the caller."""
    twice = "\n".join(
        f"{ref} comes from {stack.written(ref, one)} and from {stack.written(ref, other)}: leave it out of one of them"
        for ref, one, other in created.twice
    )
    if twice and recorder.is_recording():
        raise settings.SettingsError(twice)
    if twice:
        _end(twice)
    if recorder.is_recording():
        return
    found = analyse(stack.with_origins(created.objects), stack.settings.mesh_names, stack.settings.analysis.suppress)
    for finding in found:
        if finding.severity == Severity.WARNING:
            pulumi.log.warn(str(finding))
    wrong = [str(finding) for finding in found if finding.severity == Severity.ERROR]
    if wrong:
        _end("\n".join(wrong))


def check_cluster(cluster: Cluster, recorded: StackState) -> None:
    """Ends the program with one message if the update would take over objects of others, or remove control planes,
    injection or versions of definitions that are in use. Called after the last object has been created. With `FORCE=1`
    the message is a warning.

    The cluster is asked only if the program creates an object that the state does not have, or removes something. A
    preview without a cluster checks what the state alone shows, and warns about the rest."""
    if recorder.is_recording():
        return
    new = [*(made.body for made in cluster.created.objects), *cluster.created.definitions]
    removal = Removal.of(recorded, new)
    found = [*removal.forbidden]
    if cluster.target:
        found += _standing(cluster, cluster.target, removal, definitions.among(new))
    elif removal.taken:
        pulumi.log.warn(f"without the cluster it is not known who still uses what the update changes: {removal.taken}")
    if forced():
        for problem in found:
            pulumi.log.warn(f"FORCE=1: continuing, although {problem}")
    elif found:
        ways = "\n".join(f"{cluster.identity['context']}: {problem}" for problem in found)
        _end(f"{ways}. `make up FORCE=1` continues anyway")


def _standing(cluster: Cluster, target: Target, removal: Removal, wanted: definitions.Versions) -> Iterator[str]:
    """Reasons on the cluster against the update, one line each. `wanted` are the definitions of the stack."""
    if text := definitions.lowered(cluster.definitions, wanted):
        yield text
    new = [] if adopting() else [one for one in cluster.new if _may_stand(one, cluster)]
    try:
        if new or removal.taken:
            with proxy.connect(target) as api:
                if taken := foreign.problem(api, new, names.field_manager(pulumi.get_project(), pulumi.get_stack())):
                    yield f"{taken}. `make adopt` takes them over"
                yield from removal.problems(api) if removal.taken else ()
    except ClusterError as error:
        what = (
            f"who still uses what the update changes ({removal.taken})"
            if removal.taken
            else "whether objects of the stack exist already"
        )
        yield f"cannot check {what}: {error}"


def _may_stand(one: Wanted, cluster: Cluster) -> bool:
    """Whether an object may exist that the stack did not create, and no other check finds its owner."""
    place = one.ref.namespace
    return one.ref.kind not in _WITH_OWNER and (not place or place in cluster.namespaces)


def _end(message: str) -> NoReturn:
    pulumi.log.error(message)
    if sdk.is_plain():
        sys.exit(MESSAGE_WAS_SHOWN)
    # Immediately: otherwise the SDK would log errors about unfinished work after the message that matters.
    os._exit(MESSAGE_WAS_SHOWN)


def _set_timeouts(seconds: int) -> None:
    """Sets the timeout of every create, update and delete; the provider's default is ten minutes."""
    limits = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s", delete=f"{seconds}s")

    def limited(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(custom_timeouts=limits))
        return pulumi.ResourceTransformationResult(args.props, opts)

    pulumi.runtime.register_stack_transformation(limited)


def _survey(target: Target) -> Survey | None:
    """The survey of the cluster. In a preview, None and a warning if the cluster does not answer."""
    where = f"cluster: context {target.context}, server {target.server}"
    try:
        found = survey.take(target)
    except Unreachable as error:
        if not pulumi.runtime.is_dry_run():
            raise ClusterError(f"{where}: it does not answer: {error}") from None
        pulumi.log.warn(
            f"{where}: it does not answer ({error}); this preview compares with the recorded state,"
            " and the objects on the cluster have not been checked"
        )
        return None
    pulumi.log.info(f"{where}, Kubernetes {found.version[0]}.{found.version[1]}, id {found.uid}")
    return found


def _accepted(found: Survey, recorded: StackState, chosen: Settings) -> Survey | None:
    """The survey of a cluster that the stack may be applied to. In a preview, None and a warning if the stack would
    have to take over the Istio on the cluster. Raises ClusterError if the stack must not be applied."""
    names = pulumi.get_project(), pulumi.get_stack()
    if not (reasons := problems(found, recorded, *names, chosen, adopting())):
        return found
    if not previewing() or problems(found, recorded, *names, chosen, adopt=True):
        raise ClusterError("\n".join(reasons))
    pulumi.log.warn(
        "\n".join(reasons)
        + "\nUntil then `make up` refuses. This preview compares with the recorded state; `make parity` compares with"
        " the objects on the cluster"
    )
    return None


def problems(
    found: Survey, recorded: StackState, project: str, stack: str, chosen: Settings, adopt: bool = False
) -> list[str]:
    """The reasons why the stack with these settings must not be applied to the cluster; none if it may.

    With `adopt`, the stack may take over objects without an owner."""
    if moved := in_place.moved(recorded, chosen.root):
        return [moved]
    planes, root = [*chosen.installations.values()], chosen.root
    installed = [one.release for one in planes]
    made = [hook for one in planes for hook in one.release.injection_webhooks(one)]
    if chosen.base.enabled:
        reasons = list(ownership.problems(found, recorded, installed, project, stack, root, chosen.ownership, adopt))
        made += [hook for one in planes for hook in one.release.validation_webhooks(one)]
    else:
        spaces = {**({root: "existing"} if chosen.uses_root_namespace else {}), **chosen.ownership}
        injectors = [one.injector for one in planes]
        beside = (found, recorded, installed, project, stack, injectors, spaces, adopt)
        reasons = list(ownership.problems_without_base(*beside))
    return [*reasons, *ownership.blocked(found, recorded, frozenset(hook.name for hook in made), reasons)]


def lowered(found: Survey, chosen: Settings) -> list[str]:
    """The reason why the definitions of the stack must not be applied to the cluster; none if they may. No objects of
    the stack are needed for it."""
    wanted = definitions.of_release(chosen.installation.newest, chosen.base.excludedCRDs) if chosen.base.enabled else {}
    text = definitions.lowered(found.definitions, wanted)
    return [f"{found.target.context} ({found.target.server}): {text}"] if text else []
