"""Stack files, `Pulumi.<stack>.yaml`, and their config as Pulumi hands it to the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.core import errors

SECRET: Final = "(secret)"
"""What stands for an encrypted value where no engine can decrypt it."""
KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""What a stack's file may hold, as Pulumi reads it."""
NAMESPACES: Final = ("mesh", "mesh-addons", "pulumi")
"""The namespaces of config keys that anybody reads."""


class StackFileError(errors.UserError):
    """A stack's file is missing or wrong; the text says why and what to do."""


def names(folder: Path) -> list[str]:
    """The stacks that have a file in the folder."""
    return sorted(f.name.split(".")[1] for f in folder.glob("Pulumi.*.yaml"))


def path(folder: Path, stack: str) -> Path:
    """The stack's file; StackFileError if there is none."""
    if stack not in names(folder):
        raise StackFileError(errors.invalid_choice("STACK", stack, names(folder)))
    return folder / f"Pulumi.{stack}.yaml"


def config(file: Path) -> dict[str, str]:
    """The config in a stack's file: text as it is, anything else as JSON."""
    return {key: _text(value) for key, value in (document(file).get("config") or {}).items()}


def document(file: Path) -> dict[str, Any]:
    """A stack file's content; StackFileError if it is not a YAML mapping, or has what nobody would read."""
    try:
        content = yaml.load(file.read_text(), _Loader) or {}  # a safe loader
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
    """Refuses a key that a mapping already has; in YAML the last one would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        known = set[str]()
        for key, _ in node.value:
            name = str(key.value)
            if name in known:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is there twice", key.start_mark)
            known.add(name)
        return super().construct_mapping(node, deep)


def _text(value: Any) -> str:
    if isinstance(value, dict) and "secure" in value:
        return SECRET
    return value if isinstance(value, str) else json.dumps(value)
