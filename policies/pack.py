"""The rules as Pulumi's policies.

A rule about one object is a resource policy, which Pulumi asks before it creates the object; a rule about objects
together is a stack policy, which it asks at the end of a preview and of an update.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Final

from pulumi.runtime.config import get_config_env
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

from commands import stackfiles
from engine import manifests
from mesh import releases
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import UNUSED_SUPPRESSION
from mesh.config import loading
from mesh.config.settings import Settings, SettingsError
from mesh.policies import report
from mesh.policies.rules import Rule, rules
from policies import resources

NAME: Final = "mesh"


def serve() -> None:
    """Answers Pulumi until it ends the process; the port is printed. Ends with one message if the config is wrong."""
    try:
        chosen = settings()
    except (SettingsError, stackfiles.CommandError) as error:
        sys.exit(f"error: {error}")
    levels = {name: EnforcementLevel(level) for name, level in chosen.policies.items()}
    PolicyPack(NAME, policies(chosen), initial_config={**levels})


def settings() -> Settings:
    """The settings of the stack that Pulumi works on. Raises SettingsError, CommandError.

    Releases of Pulumi that do not hand the config over leave it to the variable STACK, as `make env` sets it; without
    it every setting is the default."""
    config = get_config_env()
    if not config and os.environ.get("STACK"):
        config = stackfiles.config(os.environ["STACK"])
    return loading.load(config)


def policies(chosen: Settings) -> list[Policy]:
    """Every rule as a policy, and one for explanations that explain nothing."""
    unused, found = UNUSED_SUPPRESSION, rules(releases.get(chosen.release))
    return [
        *(_of_objects(rule, rule.alone, chosen) if rule.alone else _of_stack(rule, chosen) for rule in found),
        StackValidationPolicy(
            unused.slug, unused.meaning, lambda args, tell: _unused(args, tell, chosen), EnforcementLevel(unused.level)
        ),
    ]


def _of_objects(rule: Rule, look: Callable[[Object], Iterator[Finding]], chosen: Settings) -> Policy:
    def validate(args: ResourceValidationArgs, tell: ReportViolation) -> None:
        thing = resources.read(args.resource_type, args.props, manifests.origin_of(args.opts.parent or ""))
        for finding in look(thing) if thing else ():
            if thing and not report.explained(finding, [thing], chosen):
                tell(str(finding), None)

    return ResourceValidationPolicy(
        rule.policy.slug, rule.policy.meaning, validate, EnforcementLevel(rule.policy.level)
    )


def _of_stack(rule: Rule, chosen: Settings) -> Policy:
    def validate(args: StackValidationArgs, tell: ReportViolation) -> None:
        pairs = list(resources.all_of(args))
        urns, things = {thing.ref: urn for thing, urn in pairs}, [thing for thing, _ in pairs]
        for finding in rule.findings(Mesh(things)):
            if not report.explained(finding, things, chosen):
                tell(str(finding), urns.get(finding.ref))

    return StackValidationPolicy(rule.policy.slug, rule.policy.meaning, validate, EnforcementLevel(rule.policy.level))


def _unused(args: StackValidationArgs, tell: ReportViolation, chosen: Settings) -> None:
    things = [thing for thing, _ in resources.all_of(args)]
    for finding in report.review(things, chosen):
        if finding.code == UNUSED_SUPPRESSION.code:
            tell(str(finding), None)
