"""The files that are imported: IstioOperators, Helm values, or the objects of an installation."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.core import documents, errors
from mesh.imports import charts, operators
from mesh.imports.charts import CHARTS, GATEWAY
from mesh.imports.source import Data, Source, SourceError

_NAMED: Final = re.compile(r"(?P<chart>[a-z]+)(:(?P<name>[^=]+))?=(?P<path>.+)")
_ENDINGS: Final = (".yaml", ".yml", ".json")
_EXAMPLE: Final = 'FROM=operator.yaml, or Helm values: FROM="istiod=values.yaml gateway:edge=edge.yaml"'


@dataclass(frozen=True, kw_only=True)
class _Document:
    """A document of a file."""

    path: Path
    body: Data
    chart: str
    """The chart that the user names; empty if none."""


def objects(text: str, folder: Path) -> list[Data]:
    """The objects in the files that `FROM` names; none if they are something else. Raises SourceError."""
    found = [document.body for word in _words(text) for document in _documents(word, folder)]
    listed = [item for body in found for item in (body["items"] if _is_list(body) else [body])]
    return listed if all(_is_object(one) for one in listed) else []


def _is_list(body: Data) -> bool:
    return str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list)


def _is_object(body: Data) -> bool:
    named = "kind" in body and "apiVersion" in body and "metadata" in body
    return named and not operators.is_operator(body)


def read(text: str, folder: Path) -> Source:
    """The source that `FROM` names: files and folders, each with the name of a chart before it if its Helm values do
    not tell the chart. Paths are relative to `folder`. Raises SourceError."""
    found = [document for word in _words(text) for document in _documents(word, folder)]
    origin = _shown(found[0].path, folder) if len({one.path for one in found}) == 1 else text
    if not found:
        raise SourceError(f"FROM={text} has no YAML: {_EXAMPLE}")
    operator = [one.body for one in found if not one.chart and operators.is_operator(one.body)]
    values = [one for one in found if one.chart or "kind" not in one.body or "apiVersion" not in one.body]
    if len(operator) + len(values) < len(found):
        other = next(one.body for one in found if "kind" in one.body and not operators.is_operator(one.body))
        raise SourceError(f"{origin} has a {other['kind']}, and not an IstioOperator or Helm values: {_EXAMPLE}")
    if operator and values:
        raise SourceError(f"{origin}: an IstioOperator and Helm values install two Istios: import one at a time")
    if operator:
        return operators.of_documents(operator, origin)
    files = [
        charts.File(origin=_shown(one.path, folder), stem=one.path.stem, values=one.body, chart=one.chart)
        for one in values
    ]
    return charts.of_files(files, origin)


def _words(text: str) -> Sequence[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SourceError(f"FROM={text}: {error}") from None
    if not words:
        raise SourceError(f"FROM is missing: the files to import, such as {_EXAMPLE}")
    return words


def _documents(word: str, folder: Path) -> Iterator[_Document]:
    said, chart = _NAMED.fullmatch(word), ""
    if said and not (folder / word).exists():
        if said["chart"] not in CHARTS:
            raise SourceError(f"FROM={word}: chart {errors.not_one_of(said['chart'], CHARTS)}")
        if (said["chart"] == GATEWAY) != bool(said["name"]):
            raise SourceError(f"FROM={word}: a gateway, and nothing else, takes a name: {GATEWAY}:NAME=FILE")
        chart, word = ":".join(filter(None, (said["chart"], said["name"]))), said["path"]
    for path in _files(folder / word, word):
        yield from (_Document(path=path, body=body, chart=chart) for body in _bodies(path))


def _files(path: Path, word: str) -> list[Path]:
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.suffix in _ENDINGS)
    if not path.is_file():
        raise SourceError(f"FROM={word}: there is no such file or folder")
    return [path]


def _bodies(path: Path) -> Iterator[Data]:
    try:
        found: list[Any] = list(yaml.load_all(path.read_text(), documents.Loader))
    except UnicodeDecodeError:
        raise SourceError(f"{path.name} is not a text") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise SourceError(f"{path.name} is not YAML: {getattr(error, 'problem', None) or error}{where}") from None
    for body in found:
        if body is None:
            continue
        if not isinstance(body, dict):
            raise SourceError(f"{path.name} has {errors.show(body)} in place of a map: {_EXAMPLE}")
        yield body


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
