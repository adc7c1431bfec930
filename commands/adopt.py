"""`make adopt`: takes over an Istio that was installed in another way, without changing what it does.

The command first compares the objects on the cluster with those of the stack. Then it applies them unchanged with the
stack's field manager and ownership annotations, and imports them into the stack's state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster import proxy, survey
from cluster.client import Api
from cluster.state import StackState
from cluster.target import ADOPT, Target
from commands import imports, pulumi_cli, stack_cluster, stacks, takeover
from commands.imports import Resource
from commands.parity import intended, report, sources, versions
from commands.parity.compare import Difference, differences
from commands.parity.normal import Manifest
from commands.parity.sources import StackObjects
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import PROJECT, CommandError
from engine import program
from mesh.analysis.objects import Ref
from mesh.config.addons import SECRETS
from mesh.config.settings import Settings
from mesh.core import disclosure, kinds, names
from mesh.core.diff import ABSENT
from mesh.core.disclosure import Disclosure
from mesh.core.secure import HIDDEN

FORCE_FIELDS: Final = "PULUMI_K8S_ENABLE_PATCH_FORCE"
"""Environment variable with which Pulumi's Kubernetes provider forces conflicts in server-side apply."""


def run(name: str, force: bool) -> int:
    """Takes over the Istio on the stack's cluster, and returns the exit code.

    With `force` the objects may differ from those of the stack, and are changed. Raises CommandError if they differ
    without `force`, if there is nothing to take over, or if the mesh belongs to another stack."""
    stack = stacks.load(name)
    settings = stack.settings
    stack_cluster.start_if_embedded(settings)
    pulumi = PulumiCli(name)
    target = stack_cluster.require_same_cluster(pulumi, settings)
    _refuse(name, settings, target)
    ours = sources.of_stack(name, stack)
    with proxy.connect(target) as api:
        theirs = sources.of_cluster(api, ours.plan)
        _compare(name, ours, theirs, force, settings.disclosure)
        pulumi.make_secrets(SECRETS, settings.addons.secrets)
        there = {Ref.of(manifest): manifest for manifest in theirs}
        resources = _planned(pulumi)
        taken = [r for r in resources if _can_be_taken(r, there)]
        if taken:
            print(f"applying {len(taken)} objects as they are, and importing them", flush=True)
            takeover.take(api, dict(_paths(api, ours, taken, there)), _manager(taken))
            imports.run(pulumi, [r for r in resources if _can_be_imported(r, there)])
    return _finish(pulumi, len(taken))


def _manager(taken: Sequence[Resource]) -> str:
    """The field manager of the stack."""
    return str(taken[0]["inputs"]["metadata"]["annotations"][names.FIELD_MANAGER])


def _refuse(name: str, settings: Settings, at: Target) -> None:
    """Raises CommandError if the mesh belongs to another stack, or the cluster is the wrong one."""
    found = survey.take(at)
    recorded = pulumi_cli.recorded_state(name) or StackState()
    problems = program.problems(found, recorded, PROJECT, name, settings, adopt=True)
    if problems := [*problems, *program.lowered(found, settings)]:
        raise CommandError("\n".join(problems))


def _compare(
    name: str, ours: StackObjects, theirs: Sequence[Manifest], force: bool, shown: Disclosure = disclosure.DEFAULT
) -> None:
    """Prints the differences. Raises CommandError if there is nothing to take over, or, without `force`, if a
    difference matters."""
    present = {Ref.of(manifest) for manifest in theirs}
    if not any(Ref.of(manifest) in present for manifest in ours.objects):
        raise CommandError(f"this cluster has no object of stack {name}: `make up STACK={name}` installs it")
    if said := report.headline(versions.of(theirs), ours.plan.settings.installation.release.version):
        print(said, flush=True)
    found = differences(theirs, ours.beside(theirs), ours.patches, ours.patched)
    for line in report.lines(found, ours.component, shown):
        print(line, flush=True)
    important = [difference for difference in found if _matters(difference)]
    if important and not force:
        raise CommandError(
            f"the cluster differs from stack {name}. Change the stack file until `make parity` finds no difference that"
            " matters, or run `make adopt FORCE=1` to change the cluster; nothing was changed"
        )


def _matters(difference: Difference) -> bool:
    """Whether taking over would change or create an object. Objects that the stack does not have stay as they are, and
    the stack creates its own Secrets."""
    stays = difference.whole and difference.ours is ABSENT
    return not (stays or intended.reason(difference) or difference.object.kind == kinds.SECRET)


def _planned(pulumi: PulumiCli) -> list[dict[str, Any]]:
    """The resources that would exist after an update. Creates the stack's provider if the state has none, since the
    import needs its id."""
    with pulumi_cli.variables({ADOPT: "1"}):
        if not stack_cluster.recorded_provider(pulumi):
            provider = f"urn:pulumi:{pulumi.stack}::{PROJECT}::pulumi:providers:kubernetes::{program.PROVIDER}"
            pulumi.run("up", "--target", provider, "--skip-preview", "--yes", quiet=True)
        return pulumi.planned()


def _can_be_imported(resource: Resource, there: Collection[Ref]) -> bool:
    """Whether a resource is a component, or an object that the stack owns as a whole."""
    if not resource["custom"]:
        return "parent" in resource
    return _can_be_taken(resource, there) and not resource["type"].endswith("Patch")


def _can_be_taken(resource: Resource, there: Collection[Ref]) -> bool:
    """Whether a resource is an object that exists on the cluster and holds no secret. Previews hide secrets, so that an
    object with secrets cannot be applied here: the update that follows does it."""
    inputs = resource.get("inputs", {})
    kind = kinds.of_inputs(inputs)
    return kind not in (None, kinds.SECRET) and Ref.of(inputs) in there and not _holds_secret(inputs)


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    return any(map(_holds_secret, value)) if isinstance(value, list) else value == HIDDEN


def _paths(
    api: Api, ours: StackObjects, resources: Sequence[Resource], there: Mapping[Ref, Manifest]
) -> Iterator[tuple[str, Manifest]]:
    """The API path of each object, and the manifest that is applied."""
    served = ours.plan.kinds(api)
    planned = {Ref.of(p.manifest): p for p in ours.plan.objects}
    for inputs in (resource["inputs"] for resource in resources):
        one = planned[Ref.of(inputs)]
        kind = served[one.type]
        if kind:
            yield sources.path_of(one, kind), ours.shared(inputs, there[Ref.of(inputs)])


def _finish(pulumi: PulumiCli, count: int) -> int:
    """Runs an update, which records dependencies and creates the objects that cannot be imported; the exit code."""
    with pulumi_cli.variables({FORCE_FIELDS: "true", ADOPT: "1"}):
        code = pulumi.run("up", "--skip-preview", "--yes")
    if code == 0 and count:
        print(f"adopted: stack {pulumi.stack} now owns {count} objects, and `make down` would remove them")
    elif code == 0:
        print(f"there was nothing left to take over: stack {pulumi.stack} already owns all objects")
    return code
