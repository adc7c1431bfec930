"""The objects of one YAML file, with the lines of their fields."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from mesh.core import documents
from mesh.core.errors import UserError, show
from mesh.core.kinds import GroupKind

_TEMPLATE: Final = re.compile(r"\{\{")
_PATH: Final = re.compile(r'\[(?:"(?P<quoted>[^"]*)"|(?P<index>\d+))\]|(?P<name>[^.\[\]]+)')


class ManifestError(UserError):
    """Files of objects are invalid; the message has a line for each problem, with file and line."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Manifest:
    """An object, and where it is written."""

    body: Mapping[str, Any]
    file: str
    """The path as the user writes it; `-` for standard input; folder and object for an object of a kustomization, whose
    lines are generated; the config key for an object in a stack's config."""
    node: yaml.MappingNode | None = field(default=None, repr=False)
    """The object in the file; None if it is in no file."""

    def place(self, path: str = "") -> str:
        """The file and line of a field, such as `shop/cart.yaml:12`, or else the path behind `file`. `path` is one in
        the object, such as `spec.http[0].route`; the line is that of the innermost part of it that is written."""
        if self.node is None:
            return f"{self.file}.{path}" if path else self.file
        return f"{self.file}:{_line(self.node, path)}"

    @property
    def kind(self) -> GroupKind:
        return GroupKind.of(self.body)


def parse(text: str, file: str) -> list[Manifest]:
    """The objects in the text of a file. Raises ManifestError with all problems of the file."""
    found: list[Manifest] = []
    problems: list[str] = []
    try:
        for node, body in _documents(text):
            if body is not None:
                found += _objects(node, body, file, problems)
    except (yaml.MarkedYAMLError, _Duplicate, ValueError) as error:
        problems.append(f"{file}:{_problem(error, text)}")
    if problems:
        raise ManifestError("\n".join(problems))
    return found


class _Duplicate(Exception):
    """A key occurs twice in a mapping."""

    def __init__(self, node: yaml.Node, key: object) -> None:
        super().__init__(f"{show(key)} occurs twice in one mapping: only the last one would count")
        self.line = node.start_mark.line + 1


class _Loader(documents.Loader):
    """Reads numbers and dates as kubectl does, refuses keys that occur twice in a mapping, and remembers the lines of
    the values."""

    at: int = 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise _Duplicate(key, key.value)
                seen.add(key.value)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        self.at = node.start_mark.line + 1
        return super().construct_object(node, deep)


def _number(_: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = node.value.replace("_", "").lower()
    if text.lstrip("+-").startswith(("0x", "0o", "0b")):
        return int(text, 0)
    found = float(text)
    return int(found) if found.is_integer() else found


def _text(_: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_Loader.add_constructor(documents.NUMBER, _number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def _documents(text: str) -> Iterator[tuple[yaml.Node, Any]]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None, "check_node has found one"
            try:
                yield node, loader.construct_document(node)
            except ValueError as error:
                raise ValueError(f"{loader.at}: {error}") from None
    finally:
        loader.dispose()


def _problem(error: Exception, text: str) -> str:
    """The line and the problem of a text that cannot be read."""
    if isinstance(error, _Duplicate):
        return f"{error.line}: {error}"
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = min(mark.line if mark else 0, text.rstrip().count("\n"))  # the end is behind the last line
        template = next((n for n, one in enumerate(text.splitlines()) if _TEMPLATE.search(one)), None)
        return f"{template + 1}: {_UNRENDERED}" if template is not None else f"{line + 1}: not YAML: {error.problem}"
    return str(error)


_UNRENDERED: Final = "a Helm template ({{) that is not rendered: use the output of `helm template`"


def _objects(node: yaml.Node, body: Any, file: str, problems: list[str]) -> Iterator[Manifest]:
    """The objects of a document; a List's are its items."""
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode) or not isinstance(body, Mapping):
        problems.append(f"{file}:{line}: {_what(body)} instead of an object: separate objects by ---, or use kind List")
        return
    items = body.get("items")
    if str(body.get("kind", "")).endswith("List") and isinstance(items, Sequence):
        nodes = next(value for key, value in node.value if key.value == "items").value
        for inner, item in zip(nodes, items, strict=True):
            yield from _objects(inner, item, file, problems)
        return
    found = Manifest(body=body, file=file, node=node)
    texts = list(missing(body))
    problems += (f"{found.place()}: {text}" for text in texts)
    for path, value in _texts(body, ""):
        if _TEMPLATE.search(value) and not texts and path in ("kind", "apiVersion", "metadata.name"):
            problems.append(f"{found.place(path)}: {_UNRENDERED}")
    if not texts:
        yield found


def _what(body: Any) -> str:
    return "a list" if isinstance(body, list) else f"the text {show(body)}" if isinstance(body, str) else show(body)


def missing(body: Mapping[str, Any]) -> Iterator[str]:
    """The missing fields that every object must have."""
    meta = body.get("metadata")
    for name in ("apiVersion", "kind"):
        if not isinstance(body.get(name), str) or not body[name]:
            yield (
                f"an object without {name}" if body.get(name) is None else f"{name} is {show(body[name])}, not a text"
            )
    if not isinstance(meta, Mapping):
        yield "an object without metadata"
    elif not isinstance(meta.get("name"), str) or not meta["name"]:
        more = ": objects of a stack have fixed names" if "generateName" in meta else ""
        yield f"an object without metadata.name{more}"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else str(key))


def _line(node: yaml.Node, path: str) -> int:
    line = node.start_mark.line + 1
    for step in _PATH.finditer(path):
        inner = _child(node, step)
        if inner is None:
            break
        key, node = inner
        line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node, step: re.Match[str]) -> tuple[yaml.Node, yaml.Node] | None:
    """The node of a key and of its value, or twice that of an element."""
    if isinstance(node, yaml.SequenceNode) and step["index"]:
        index = int(step["index"])
        return (node.value[index], node.value[index]) if index < len(node.value) else None
    wanted = step["quoted"] or step["name"]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == wanted), None)
    return None
