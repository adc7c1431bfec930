"""The policies as Pulumi's.

One about single objects is a resource policy, which Pulumi asks before it creates the object; one about objects
together is a stack policy, which it asks at the end of a preview and of an update.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from engine import config, manifests
from mesh.analysis import violations
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import POLICIES, UNUSED_SUPPRESSION
from mesh.analysis.policies.policy import Policy as Asked
from mesh.config import loading, stack_file
from mesh.config.stack import Stack
from mesh.core.errors import UserError
from mesh.releases.release import Release
from policies import resources

NAME: Final = "mesh"
_STACKS: Final = Path(__file__).resolve().parent.parent / "stacks"


def serve() -> None:
    """Answers Pulumi until it ends the process; the port is printed. Ends with one message if the config is wrong."""
    try:
        chosen = stack()
    except UserError as error:
        sys.exit(f"error: {error}")
    levels = {name: EnforcementLevel(level) for name, level in chosen.settings.policies.items()}
    PolicyPack(NAME, policies(chosen), initial_config={**levels})


def stack() -> Stack:
    """The stack that Pulumi works on. Raises SettingsError, StackFileError.

    Releases of Pulumi that do not hand the config over leave it to the variable STACK, as `make env` sets it; without
    it every setting is the default."""
    values = config.from_environment()
    if not values and os.environ.get("STACK"):
        values = stack_file.config(stack_file.path(_STACKS, os.environ["STACK"]))
    return loading.load(values)


def policies(chosen: Stack) -> list[Policy]:
    """Every policy as Pulumi's, and one for explanations that explain nothing."""
    unused = UNUSED_SUPPRESSION
    return [
        *(_of_objects(one, one.check_object, chosen) for one in POLICIES.values() if one.check_object),
        *(_of_stack(one, chosen) for one in POLICIES.values() if one.check_mesh),
        StackValidationPolicy(
            unused.slug, unused.meaning, lambda args, tell: _unused(args, tell, chosen), EnforcementLevel(unused.level)
        ),
    ]


def _of_objects(policy: Asked, look: Callable[[Object, Release], Iterator[Finding]], chosen: Stack) -> Policy:
    def validate(args: ResourceValidationArgs, tell: ReportViolation) -> None:
        thing = resources.read(args.resource_type, args.props, manifests.origin_of(args.opts.parent or ""))
        for one in chosen.with_origins([thing] if thing else []):
            for finding in look(one, chosen.installation.release):
                if not violations.is_suppressed(finding, [one], chosen.settings.analysis.suppress):
                    tell(str(finding), None)

    return ResourceValidationPolicy(policy.slug, policy.meaning, validate, EnforcementLevel(policy.level))


def _of_stack(policy: Asked, chosen: Stack) -> Policy:
    def validate(args: StackValidationArgs, tell: ReportViolation) -> None:
        pairs = list(resources.all_of(args))
        urns, things = {thing.ref: urn for thing, urn in pairs}, chosen.with_origins(thing for thing, _ in pairs)
        for finding in policy.findings(Mesh(things, chosen.settings.mesh_names), chosen.installation.release):
            if not violations.is_suppressed(finding, things, chosen.settings.analysis.suppress):
                tell(str(finding), urns.get(finding.ref))

    return StackValidationPolicy(policy.slug, policy.meaning, validate, EnforcementLevel(policy.level))


def _unused(args: StackValidationArgs, tell: ReportViolation, chosen: Stack) -> None:
    settings, release = chosen.settings, chosen.installation.release
    mesh = Mesh(chosen.with_origins(thing for thing, _ in resources.all_of(args)), settings.mesh_names)
    for finding in violations.find(mesh, release, settings.policies, settings.analysis.suppress):
        if finding.code == UNUSED_SUPPRESSION.code:
            tell(str(finding), None)
