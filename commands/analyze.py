"""`make analyze`: everything that analysis has to say of a stack's objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from commands import render, stackfiles
from engine import manifests
from engine.recorder import Resource
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.objects import Object
from mesh.analysis.report import analyse
from mesh.config import loading, origins


def run(stack: str) -> int:
    """Prints the findings and their number; 1 if there is an error among them."""
    return show(stack, findings(stack))


def show(stack: str, found: Sequence[Finding]) -> int:
    """Prints findings about a stack and their number; 1 if there is an error among them."""
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
    """What is wrong with the objects that a stack makes. Raises CommandError, SettingsError."""
    config = stackfiles.config(stack)
    chosen = loading.load(config)
    return analyse(origins.located(objects(render.record(stack, config)), chosen), chosen.analysis.suppress)


def objects(resources: Iterable[Resource]) -> Iterator[Object]:
    """The Kubernetes objects among recorded resources, with the config keys that they come from."""
    for resource in resources:
        for manifest in render.manifests([resource]):
            yield Object.read(manifest, manifests.origin_of(resource.parent))
