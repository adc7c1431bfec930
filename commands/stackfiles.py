"""The stacks of the project, and their config as Pulumi hands it to the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from mesh.core import errors

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final = "mesh"
SECRET: Final = "(secret)"
"""What stands for an encrypted value where no engine can decrypt it."""


KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""What a stack's file may hold, as Pulumi reads it."""
NAMESPACES: Final = (PROJECT, f"{PROJECT}-addons", "pulumi")
"""Of config keys that anybody reads."""


class CommandError(errors.Refusal):
    """A command cannot go on; the text says why and what to do."""


def names() -> list[str]:
    """The stacks that have a file."""
    return sorted(f.name.split(".")[1] for f in (ROOT / "stacks").glob("Pulumi.*.yaml"))


def path(stack: str) -> Path:
    """The stack's file; CommandError if there is none."""
    if stack not in names():
        raise CommandError(errors.choice("STACK", stack, names()))
    return ROOT / "stacks" / f"Pulumi.{stack}.yaml"


def document(file: Path) -> dict[str, Any]:
    """A stack file's content; CommandError if it is not a YAML mapping, or has what nobody would read."""
    try:
        content = yaml.load(file.read_text(), _Loader) or {}  # a safe loader
    except yaml.YAMLError as error:
        raise CommandError(f"{file.name} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        raise CommandError(f"{file.name}: expected a mapping with a key `config`")
    for key in content:
        if key not in KEYS:
            raise CommandError(f"{file.name}: {errors.none_of(key, KEYS)}")
    for key in content.get("config") or {}:
        namespace = str(key).partition(":")[0]
        if namespace not in NAMESPACES:
            raise CommandError(errors.choice(f"{file.name}: {key}", namespace, NAMESPACES))
    return content


class _Loader(yaml.SafeLoader):
    """Refuses a key that a mapping already has; YAML's own last one would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        known = set[str]()
        for key, _ in node.value:
            name = str(key.value)
            if name in known:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is there twice", key.start_mark)
            known.add(name)
        return super().construct_mapping(node, deep)


def config(stack: str) -> dict[str, str]:
    """The stack's config: text as it is, anything else as JSON."""
    return {key: _text(value) for key, value in (document(path(stack)).get("config") or {}).items()}


def _text(value: Any) -> str:
    if isinstance(value, dict) and "secure" in value:
        return SECRET
    return value if isinstance(value, str) else json.dumps(value)
