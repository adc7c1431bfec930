"""Stack files, `Pulumi.<stack>.yaml`, and their config in the form in which Pulumi provides it to the program."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.core import errors, secure

VARIABLE: Final = "STACK_FILE"
"""Environment variable with the path of the stack file that Pulumi uses, which tells the program what is encrypted."""
KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""Top-level keys of a stack file."""
NAMESPACES: Final = ("mesh", "mesh-addons", "pulumi")
"""Valid namespaces of config keys."""

Keys = tuple[str | int, ...]
"""Path of a value in the config: keys of maps, and indexes of lists."""


class StackFileError(errors.UserError):
    """A stack file is missing or invalid."""


def names(folder: Path) -> list[str]:
    """Names of the stacks that have a file in the folder."""
    return sorted(f.name.split(".")[1] for f in folder.glob("Pulumi.*.yaml"))


def path(folder: Path, stack: str) -> Path:
    """Path of the stack's file. Raises StackFileError if it does not exist."""
    if stack not in names(folder):
        raise StackFileError(errors.invalid_choice("STACK", stack, names(folder)))
    return folder / f"Pulumi.{stack}.yaml"


def config(content: Mapping[str, Any]) -> dict[str, str]:
    """The config in the content of a stack file. Strings are unchanged, other values are JSON; placeholders stand for
    encrypted values."""
    values = _plain(content.get("config") or {}, ())
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def encrypted(content: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    """The encrypted values in the config of a stack file: the path and the placeholder of each."""
    for path, value in _leaves(content.get("config") or {}, ()):
        if secure.is_encrypted(value):
            yield path, secure.placeholder(key_at(path), value["secure"])


def with_encrypted(content: Mapping[str, Any], other: Mapping[str, Any], strict: bool = True) -> dict[str, Any]:
    """The content of a stack file with the encrypted values, and the salt and keys, that only `other` has. Unless
    `strict`, values that do not fit are left out.

    Raises StackFileError for a value that is encrypted in `other` and in clear text in `content`, for an encrypted
    value in a list that `content` lacks, and if the two are encrypted with different salts."""
    config = copy.deepcopy(content.get("config") or {})
    ours = {path for path, value in _leaves(config, ()) if secure.is_encrypted(value)}
    leaves = [leaf for leaf in _leaves(other.get("config") or {}, ()) if secure.is_encrypted(leaf[1])]
    theirs = {path: value for path, value in leaves if ours.isdisjoint(path[: i + 1] for i in range(len(path)))}
    for path, value in theirs.items():
        try:
            _put(config, path, value)
        except StackFileError:
            if strict:
                raise
    salts = [one["encryptionsalt"] for one in (content, other) if one.get("encryptionsalt")]
    if strict and len({*salts}) > 1 and theirs:
        raise StackFileError(
            f"encryptionsalt of the stack's file is not the one with which {', '.join(sorted(map(key_at, theirs)))} is"
            f" encrypted, which is {salts[1]}: write that one, and set the file's own encrypted values again"
        )
    kept = {key: value for key, value in other.items() if key != "config"}
    return {**kept, **content, "config": config}


def _put(config: dict[str, Any], path: Keys, value: Any) -> None:
    """Adds an encrypted value to the config, which has none there. Raises StackFileError."""
    if any(isinstance(step, int) for step in path):
        raise StackFileError(
            f"{key_at(path)} is encrypted in a list, outside of the stack's file: move it into the file itself"
        )
    at: Any = config
    for i, step in enumerate(path, 1):
        at = at.setdefault(step, value if i == len(path) else {})
        if not isinstance(at, dict) or (i == len(path) and at is not value):
            raise StackFileError(
                f"{key_at(path)} is encrypted for this stack, but its file has {key_at(path[:i])} in clear text: take"
                " that out of the file"
            )


def key_at(path: Keys) -> str:
    """A path as users write it, such as `mesh:pilot.env.TOKEN`."""
    return str(path[0]) + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path[1:])


def _leaves(value: Any, path: Keys) -> Iterator[tuple[Keys, Any]]:
    if secure.is_encrypted(value) or not isinstance(value, dict | list):
        yield path, value
        return
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(item, (*path, step))


def _plain(value: Any, path: Keys) -> Any:
    """The value with placeholders in place of encrypted values."""
    if secure.is_encrypted(value):
        return secure.placeholder(key_at(path), value["secure"])
    if isinstance(value, dict):
        return {key: _plain(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, (*path, i)) for i, item in enumerate(value)]
    return value


def document(file: Path) -> dict[str, Any]:
    """The content of a stack file. Raises StackFileError if it is not a YAML mapping, or has unknown keys."""
    return parse(file.read_text(), file.name)


def parse(text: str, name: str) -> dict[str, Any]:
    """The content of a stack file from its text; `name` is that of the file, for errors. Raises StackFileError."""
    try:
        content = yaml.load(text, _Loader) or {}  # derives from SafeLoader
    except yaml.YAMLError as error:
        raise StackFileError(f"{name} is not YAML: {_problem(error)}") from None
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        raise StackFileError(f"{name}: expected a mapping with a key `config`")
    for key in content:
        if key not in KEYS:
            raise StackFileError(f"{name}: {errors.not_one_of(key, KEYS)}")
    for key in content.get("config") or {}:
        namespace = str(key).partition(":")[0]
        if namespace not in NAMESPACES:
            raise StackFileError(errors.invalid_choice(f"{name}: {key}", namespace, NAMESPACES))
    return content


def _problem(error: yaml.YAMLError) -> str:
    """The problem and its place. PyYAML's own text also quotes the line, which may hold a credential."""
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or 'it cannot be read'}{where}"


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys, of which PyYAML silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set[str]()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {name}", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
