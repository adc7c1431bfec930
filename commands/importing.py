"""`make import`: writes a stack file from an IstioOperator, Helm values or an installation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from commands import installed, overlaying, pulumi_cli, stackfiles
from commands.stackfiles import CommandError
from mesh.core import errors
from mesh.core.words import count
from mesh.imports import importing, reading, writing
from mesh.imports.importing import Imported
from mesh.imports.source import Left

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_CONTEXT: Final = "Name the cluster's context here (mesh:context) or on the command line (CONTEXT=)."
_COMPARING: Final = "comparing {} with the profiles of its release, which takes about half a minute"
_PATH: Final = 60
"""The most characters in the table's column of paths."""


def run(stack: str, source: str, release: str, force: bool) -> int:
    """Writes the stack file from the files or the cluster that `source` names, and prints what it could not carry over.
    Returns the exit code 0. Raises CommandError if the stack file exists and `force` is not set, and SourceError."""
    file = _target(stack, force)
    made, origin = _made(source, release)
    about = f"Imported from {origin}, Istio {made.release.version}. {_CONTEXT}"
    file.write_text(writing.text(made.config, about, made.secrets))
    for line in report(made, stack):
        print(line)
    return 0


def _target(stack: str, force: bool) -> Path:
    if not stack:
        raise CommandError("STACK is missing: the name of the stack to write, e.g. make import FROM=… STACK=mine")
    if not _NAME.fullmatch(stack):
        raise CommandError(
            f"STACK={stack}: {errors.show(stack)} is not a valid name of a stack: use letters, digits, - and _"
        )
    file = stackfiles.new(stack)
    if file.exists() and not force:
        shown = file.relative_to(stackfiles.ROOT)
        raise CommandError(f"{shown} exists: choose another STACK, or set FORCE=1 to overwrite it")
    return file


def _made(source: str, release: str) -> tuple[Imported, str]:
    """The imported config, and its source for messages. Objects of an installation tell their release themselves."""
    if source.startswith(installed.CONTEXT):
        context = source.removeprefix(installed.CONTEXT)
        os.environ.update(pulumi_cli.environment(build=False))
        print(_COMPARING.format(f"context {context}"), flush=True)
        return installed.of_context(context), f"context {context}"
    if objects := reading.objects(source, Path.cwd()):
        print(_COMPARING.format(source), flush=True)
        return installed.imported(objects, source), f"the objects in {source}"
    found = reading.read(source, Path.cwd())
    return overlaying.patched(importing.imported(found, release)), f"{found.origin} ({found.form})"


def report(made: Imported, stack: str) -> Iterator[str]:
    """The printed lines: what was written, what was not carried over and why, and the next command."""
    keys = count(len(made.config), "key")
    yield f"stacks/Pulumi.{stack}.yaml: Istio {made.release.version}, profile {made.profile}, {keys}"
    yield from table(made.left)
    if made.secrets:
        yield "credentials, which are not written into the file; set them as docs/secrets.md describes:"
        yield from (f"  {path}" for path in made.secrets)
    yield f"next: make preview STACK={stack}; on a cluster with this Istio, make adopt STACK={stack} (docs/import.md)"


def table(left: Sequence[Left]) -> Iterator[str]:
    """What was not carried over, in two columns."""
    if not left:
        yield "everything was carried over"
        return
    yield "not carried over:"
    unique = dict.fromkeys((one.path, one.why) for one in left)
    width = min(_PATH, max(len(path) for path, _ in unique))
    for path, why in unique:
        yield f"  {path:{width}}  {why}"
