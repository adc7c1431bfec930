"""Files, folders and kustomizations of objects."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from mesh.manifests.documents import Manifest, ManifestError, parse

SUFFIXES: Final = (".yaml", ".yml", ".json")
"""Names of the files that are read in a folder."""
KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""Names of the file of a kustomization: `kubectl kustomize` renders the folder of such a file."""
_NAMES_OTHERS: Final = (
    "resources",
    "bases",
    "components",
    "crds",
    "openapi",
    "transformers",
    "generators",
    "validators",
)
"""Keys of a kustomization with the paths or addresses of other sources."""
_ELSEWHERE: Final = re.compile(r"://|^git@|^github\.com/|\?(ref|version|timeout|submodules)=")
LIMIT: Final = 60
"""Timeout of `kubectl kustomize`, in seconds."""


def read(paths: Iterable[str], root: Path, *, outside: bool = False, key: str = "") -> list[Manifest]:
    """The objects of files and folders, in the order of the paths and of the files' names. Paths are relative to
    `root`, and may lead out of it only if `outside` is true. `key` is the one of the config that names them.

    Raises ManifestError with all problems, each with file and line, or with the key if it is the path itself."""
    found: list[Manifest] = []
    problems: list[str] = []
    for path in paths:
        of_path: list[str] = []
        for text, name in _sources(path, root, outside, of_path):
            try:
                objects = parse(text, name)
                found += map(_rendered, objects) if _is_kustomization(root / path) else objects
            except ManifestError as error:
                problems.append(str(error))
        problems += (f"{key}: {text}" if key else text for text in of_path)
    if problems:
        raise ManifestError("\n".join(problems))
    return found


def _is_kustomization(place: Path) -> bool:
    return any((place / name).exists() for name in KUSTOMIZATIONS)


def _rendered(manifest: Manifest) -> Manifest:
    name = f"{manifest.kind.name} {manifest.body['metadata']['name']}"
    return replace(manifest, node=None, file=f"{manifest.file} ({name})")


def _sources(path: str, root: Path, outside: bool, problems: list[str]) -> Iterator[tuple[str, str]]:
    """The text and the name of each file."""
    place = (root / path).resolve()
    if not outside and not place.is_relative_to(root.resolve()):
        problems.append(f"{path}: outside the project, where other users do not have it: put it below {root.name}/")
    elif not place.exists():
        problems.append(f"{path}: there is no such file or folder")
    elif place.is_file():
        yield from _text(place, path, problems)
    elif _is_kustomization(place):
        yield from _kustomized(place, path, problems)
    elif inner := sorted({file.parent for name in KUSTOMIZATIONS for file in place.rglob(name)}):
        names = ", ".join(f"{path.rstrip('/')}/{folder.relative_to(place)}" for folder in inner)
        problems.append(f"{path}: contains kustomizations: name the one to use: {names}")
    else:
        files = sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        if not files:
            problems.append(f"{path}: no file in this folder ends with {', '.join(SUFFIXES)}")
        for file in files:
            yield from _text(file, f"{path.rstrip('/')}/{file.relative_to(place)}", problems)


def _text(file: Path, name: str, problems: list[str]) -> Iterator[tuple[str, str]]:
    try:
        yield file.read_text(), name
    except UnicodeDecodeError:
        problems.append(f"{name}: not a text in UTF-8")


def _kustomized(folder: Path, name: str, problems: list[str]) -> Iterator[tuple[str, str]]:
    """The objects that kubectl renders from a kustomization. Remote sources are refused, since the stack would be
    different without a network."""
    if remote := next(_remote(folder), None):
        problems.append(f"{name}: its kustomization names {remote}, which is not a local file: put a copy beside it")
        return
    command = ["kubectl", "kustomize", str(folder)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT)
    except FileNotFoundError:
        problems.append(f"{name}: rendering a kustomization needs kubectl on PATH: install it, or name the files")
        return
    except subprocess.TimeoutExpired:
        problems.append(f"{name}: kubectl kustomize takes more than {LIMIT} seconds")
        return
    if done.returncode:
        problems.append(f"{name}: kubectl kustomize: {done.stderr.strip().removeprefix('error: ')}")
    else:
        yield done.stdout, name


def _content(file: Path) -> dict[str, list[object]]:
    """The lists of a kustomization; empty for one that kubectl refuses."""
    try:
        found = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, list)} if isinstance(found, dict) else {}


def _remote(folder: Path) -> Iterator[str]:
    """The sources of a kustomization, or of one that it names, that are not local files."""
    for file in (folder / name for name in KUSTOMIZATIONS):
        content = _content(file) if file.exists() else {}
        for key in _NAMES_OTHERS:
            for path in content.get(key) or ():
                if _ELSEWHERE.search(str(path)):
                    yield str(path)
                elif (folder / str(path)).is_dir():
                    yield from _remote(folder / str(path))
