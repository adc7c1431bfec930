"""`make analyze`: prints the findings of the analysis of a stack's objects, or of objects in files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from commands import files, render, stacks
from commands.files import Subject
from engine import manifests
from engine.recorder import Resource
from mesh.analysis.analyse import analyse
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.objects import Object
from mesh.apps import files as objects_of_files
from mesh.config.stack import Stack
from mesh.manifests import Manifest


def run(stack: str) -> int:
    """Prints the findings of the analysis and their number; `stack` is empty for files alone. Returns 1 if one of them
    is an error, else 0."""
    looked_at = subject(stack)
    return show(looked_at.name, _findings(looked_at))


def show(name: str, found: Sequence[Finding]) -> int:
    """Prints findings and their number. Returns 1 if one of them is an error, else 0."""
    for finding in found:
        print(f"{finding.severity}: {finding}")
    counts = Counter(finding.severity for finding in found)
    said = (
        f"{counts[s]} {s}{'s' if counts[s] > 1 and s is not Severity.INFO else ''}"
        for s in reversed(Severity)
        if counts[s]
    )
    print(f"{name}: {', '.join(said) or 'nothing found'}")
    return int(Severity.ERROR in counts)


def findings(stack: str) -> Sequence[Finding]:
    """The findings for a stack's objects, or for those of files. Raises CommandError, ManifestError, SettingsError."""
    return _findings(subject(stack))


def _findings(looked_at: Subject) -> Sequence[Finding]:
    unsaid = {obj.ref for obj in looked_at.assumed}
    whole = [*looked_at.objects, *looked_at.assumed]
    found = analyse(whole, looked_at.names, looked_at.suppress)
    return [finding for finding in found if finding.ref not in unsaid]


def subject(stack: str) -> Subject:
    """The objects of a stack, of the files that FILES names, or of both if FILES and `stack` are set. Raises
    CommandError, ManifestError, SettingsError."""
    said = files.named()
    return of_files(said, files.read(said), stack) if said else _of_stack(stack)


def of_files(said: str, found: Iterable[Manifest], stack: str) -> Subject:
    """The objects of files, on top of those of a stack unless its name is empty. Raises CommandError, ManifestError,
    SettingsError."""
    read = objects_of_files.objects(found)
    return files.on_top(said, read, _of_stack(stack)) if stack else files.alone(said, read)


def _of_stack(name: str) -> Subject:
    stack, made = rendered(name)
    settings = stack.settings
    return Subject(name=name, objects=made, names=settings.mesh_names, suppress=settings.analysis.suppress)


def label(stack: str) -> str:
    """The label in the names of output files: `dev` for a stack, `files` for FILES, or `files-dev` for both."""
    return "-".join(filter(None, ("files" if files.named() else "", stack)))


def rendered(name: str) -> tuple[Stack, list[Object]]:
    """The compiled stack and its objects, each with the config key that creates it. Raises CommandError,
    SettingsError."""
    stack = stacks.load(name)
    return stack, made(name, stack)


def made(name: str, stack: Stack, config: Mapping[str, str] | None = None) -> list[Object]:
    """The objects of a compiled stack. `config` replaces the config of its stack file."""
    return stack.with_origins(objects(render.record(name, config, stack)))


def objects(resources: Iterable[Resource]) -> Iterator[Object]:
    """The Kubernetes objects among recorded resources, with the config keys that create their components."""
    for resource in resources:
        for manifest in render.manifests([resource]):
            yield Object.read(manifest, manifests.config_key_of(resource.parent))
