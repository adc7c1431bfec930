"""The policies of `mesh.analysis.policies` as Pulumi policies.

A policy about single objects becomes a resource policy, which Pulumi runs before it creates the object. A policy about
several objects becomes a stack policy, which Pulumi runs at the end of a preview or an update.
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
from mesh.analysis.policies.policy import Policy as MeshPolicy
from mesh.config import loading, stack_file
from mesh.config.stack import Stack
from mesh.core.errors import UserError
from mesh.releases.release import Release
from policies import resources

NAME: Final = "mesh"
_STACKS: Final = Path(__file__).resolve().parent.parent / "stacks"


def serve() -> None:
    """Serves the pack over gRPC until Pulumi ends the process; prints the port. Exits with one message if the stack's
    config is invalid."""
    try:
        chosen = stack()
    except UserError as error:
        sys.exit(f"error: {error}")
    levels = {name: EnforcementLevel(level) for name, level in chosen.settings.policies.items()}
    PolicyPack(NAME, policies(chosen), initial_config={**levels})


def stack() -> Stack:
    """The stack that Pulumi previews or updates. Raises SettingsError or StackFileError.

    Some releases of Pulumi do not pass the config to a pack. In that case the stack file of the stack in the
    environment variable STACK is read, which `make env` sets. Without that variable all settings are defaults."""
    values = config.from_environment()
    if not values and os.environ.get("STACK"):
        values = stack_file.config(stack_file.document(stack_file.path(_STACKS, os.environ["STACK"])))
    return loading.load(values)


def policies(chosen: Stack) -> list[Policy]:
    """All policies, and one for suppressions that match no violation."""
    unused = UNUSED_SUPPRESSION
    return [
        *(_resource_policy(policy, policy.check_object, chosen) for policy in POLICIES.values() if policy.check_object),
        *(_stack_policy(policy, chosen) for policy in POLICIES.values() if policy.check_mesh),
        StackValidationPolicy(
            unused.slug,
            unused.meaning,
            lambda args, report: _unused(args, report, chosen),
            EnforcementLevel(unused.level),
        ),
    ]


def _resource_policy(
    policy: MeshPolicy, check: Callable[[Object, Release], Iterator[Finding]], chosen: Stack
) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        read = resources.read(args.resource_type, args.props, manifests.config_key_of(args.opts.parent or ""))
        for item in chosen.with_origins([read] if read else []):
            for finding in check(item, chosen.installation.release):
                if not violations.is_suppressed(finding, [item], chosen.settings.analysis.suppress):
                    report(str(finding), None)

    return ResourceValidationPolicy(policy.slug, policy.meaning, validate, EnforcementLevel(policy.level))


def _stack_policy(policy: MeshPolicy, chosen: Stack) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        pairs = list(resources.all_of(args))
        urns, objects = {item.ref: urn for item, urn in pairs}, chosen.with_origins(item for item, _ in pairs)
        for finding in policy.findings(Mesh(objects, chosen.settings.mesh_names), chosen.installation.release):
            if not violations.is_suppressed(finding, objects, chosen.settings.analysis.suppress):
                report(str(finding), urns.get(finding.ref))

    return StackValidationPolicy(policy.slug, policy.meaning, validate, EnforcementLevel(policy.level))


def _unused(args: StackValidationArgs, report: ReportViolation, chosen: Stack) -> None:
    """Reports each suppression that matches no violation."""
    settings, release = chosen.settings, chosen.installation.release
    mesh = Mesh(chosen.with_origins(item for item, _ in resources.all_of(args)), settings.mesh_names)
    for finding in violations.find(mesh, release, settings.policies, settings.analysis.suppress):
        if finding.code == UNUSED_SUPPRESSION.code:
            report(str(finding), None)
