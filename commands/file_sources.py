"""The review of a change to the files that FILES names, for `make report`.

The files are compared with BASE: another folder or file, `REF:PATH` of git, or a branch or commit of the git
repository that the files are in. No cluster is asked.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from commands import analyze, files
from commands.sources import BASES
from commands.stackfiles import CommandError
from mesh import manifests
from mesh.analysis.objects import Object
from mesh.apps import files as objects_of_files
from mesh.manifests import Manifest
from mesh.review.changes import StackObject
from mesh.review.review import Review, Source

_LIMIT: Final = 120
"""Timeout of git, in seconds."""


def review(stack: str, base: str) -> Review:
    """The review of the files that FILES names, alone or on top of a stack. Raises CommandError, ManifestError,
    SettingsError."""
    said = files.named()
    before, source = _before(files.paths(said), base)
    old, new = analyze.of_files(said, before, stack), analyze.subject(stack)
    assumed = [obj for side in (old, new) for obj in (*side.assumed, *objects_of_files.callers(side.mesh))]
    return Review.of(
        new.name,
        source,
        _items(old.objects),
        _items(new.objects),
        new.names,
        release=new.names.release,
        suppressed=new.suppress,
        assumed=list({obj.ref: obj for obj in assumed}.values()),
    )


def _items(objects: Iterable[Object]) -> list[StackObject]:
    """The objects, each with its file, or with the config key that creates it in the stack."""
    return [
        StackObject(object=obj, component=obj.written("").rpartition(":")[0] if obj.written else obj.origin)
        for obj in objects
    ]


def _before(paths: Sequence[str], base: str) -> tuple[list[Manifest], Source]:
    """The objects to compare with, and where they are from."""
    if base and Path(base).exists():
        text = f"Compared with {base}; no cluster was asked."
        return manifests.read([base], Path.cwd(), outside=True), Source(kind="files", text=text)
    if files.STDIN in paths:
        raise CommandError(
            "BASE is missing: standard input can be compared only with a folder or file, or with REF:PATH of git"
        )
    where = Path(paths[0]).resolve()
    where = where if where.is_dir() else where.parent
    top = Path(_git(where, "rev-parse", "--show-toplevel").decode().strip())
    ref, _, path = base.partition(":")
    if not ref:
        ref = next((name for name in BASES if _knows(where, name)), "")
        if not ref:
            raise CommandError(
                f"BASE is missing: {top} has neither branch {' nor '.join(BASES)}; name a folder or a branch"
            )
    elif not _knows(where, ref):
        raise CommandError(f"BASE: there is no file or folder {base}, and git does not know {ref} in {top}")
    commit = _fork(where, ref)
    text = f"Compared with {base or ref} at {commit[:7]}; no cluster was asked."
    inside = [path] if path else [str(Path(one).resolve().relative_to(top)) for one in paths]
    return _at(top, commit, inside), Source(kind="files", text=text, commit=commit)


def _fork(where: Path, ref: str) -> str:
    """The commit at which the checked-out branch forked from `ref`, so that later commits of `ref` do not count as
    changes; the commit of `ref` itself if both have no commit in common."""
    try:
        return _git(where, "merge-base", "HEAD", ref).decode().strip()
    except CommandError:
        return _git(where, "rev-parse", f"{ref}^{{commit}}").decode().strip()


def _at(top: Path, commit: str, paths: Iterable[str]) -> list[Manifest]:
    """The objects of files and folders at a commit. Files that the commit does not have are skipped."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(_git(top, "archive", "--format=tar", commit))) as archive:
            archive.extractall(folder, filter="data")
        there = [path for path in paths if (Path(folder) / path).exists()]
        return manifests.read(there, Path(folder))


def _knows(where: Path, ref: str) -> bool:
    try:
        return bool(_git(where, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"))
    except CommandError:
        return False


def _git(where: Path, *args: str) -> bytes:
    """The output of a git command that runs in a folder. Raises CommandError if it fails."""
    try:
        done = subprocess.run(["git", *args], cwd=where, capture_output=True, timeout=_LIMIT, check=False)
    except FileNotFoundError:
        raise CommandError("git is not on PATH: name a folder or file to compare with in BASE") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise CommandError(f"git {args[0]} in {where}: {said or 'failed'}; or name a folder to compare with in BASE")
    return done.stdout
