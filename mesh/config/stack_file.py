"""Stack files, `Pulumi.<stack>.yaml`, and their config in the form in which Pulumi provides it to the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.core import errors

SECRET: Final = "(secret)"
"""Placeholder of encrypted values, which only Pulumi's engine can decrypt."""
KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""Top-level keys of a stack file."""
NAMESPACES: Final = ("mesh", "mesh-addons", "pulumi")
"""Valid namespaces of config keys."""


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


def config(file: Path) -> dict[str, str]:
    """The config in a stack file. Strings are unchanged, other values are JSON, encrypted ones are `SECRET`."""
    return {key: _text(value) for key, value in (document(file).get("config") or {}).items()}


def document(file: Path) -> dict[str, Any]:
    """The content of a stack file. Raises StackFileError if it is not a YAML mapping, or has unknown keys."""
    try:
        content = yaml.load(file.read_text(), _Loader) or {}  # derives from SafeLoader
    except yaml.YAMLError as error:
        raise StackFileError(f"{file.name} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        raise StackFileError(f"{file.name}: expected a mapping with a key `config`")
    for key in content:
        if key not in KEYS:
            raise StackFileError(f"{file.name}: {errors.not_one_of(key, KEYS)}")
    for key in content.get("config") or {}:
        namespace = str(key).partition(":")[0]
        if namespace not in NAMESPACES:
            raise StackFileError(errors.invalid_choice(f"{file.name}: {key}", namespace, NAMESPACES))
    return content


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


def _text(value: Any) -> str:
    if isinstance(value, dict) and "secure" in value:
        return SECRET
    return value if isinstance(value, str) else json.dumps(value)
