"""`make analyze`: prints the findings of the analysis of a stack's objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from commands import render, stacks
from engine import manifests
from engine.recorder import Resource
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.objects import Object
from mesh.config.stack import Stack


def run(stack: str) -> int:
    """Prints the analysis' findings and their number. Returns 1 if one of them is an error, else 0."""
    return show(stack, findings(stack))


def show(stack: str, found: Sequence[Finding]) -> int:
    """Prints findings and their number. Returns 1 if one of them is an error, else 0."""
    for finding in found:
        print(f"{finding.severity}: {finding}")
    counts = Counter(finding.severity for finding in found)
    said = (
        f"{counts[s]} {s}{'s' if counts[s] > 1 and s is not Severity.INFO else ''}"
        for s in reversed(Severity)
        if counts[s]
    )
    print(f"{stack}: {', '.join(said) or 'nothing found'}")
    return int(Severity.ERROR in counts)


def findings(stack: str) -> Sequence[Finding]:
    """The findings for a stack's objects. Raises CommandError, SettingsError."""
    chosen, made = rendered(stack)
    return analyse(made, chosen.settings.mesh_names, chosen.settings.analysis.suppress)


def rendered(name: str) -> tuple[Stack, list[Object]]:
    """The compiled stack and its objects, each with the config key that it comes from. Raises CommandError,
    SettingsError."""
    stack = stacks.load(name)
    return stack, stack.with_origins(objects(render.record(name, stack=stack)))


def objects(resources: Iterable[Resource]) -> Iterator[Object]:
    """The Kubernetes objects among recorded resources, with the config keys that their components come from."""
    for resource in resources:
        for manifest in render.manifests([resource]):
            yield Object.read(manifest, manifests.config_key_of(resource.parent))
