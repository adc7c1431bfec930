"""The stack files of the project (`stacks/Pulumi.<stack>.yaml`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import sandbox
from mesh.config import stack_file
from mesh.core.errors import UserError

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final = "mesh"
_FOLDER: Final = ROOT / "stacks"


class CommandError(UserError):
    """A command cannot continue; the text says why, and what to do."""


def names() -> list[str]:
    """The names of all stacks."""
    return stack_file.names(_FOLDER)


def path(stack: str) -> Path:
    """The path of the stack file. Raises StackFileError if there is none."""
    return stack_file.path(_FOLDER, stack)


def new(stack: str) -> Path:
    """The path of a stack file, which need not exist."""
    return _FOLDER / f"Pulumi.{stack}.yaml"


def copy(stack: str) -> Path:
    """The path of the copy of the stack file that Pulumi works on; it need not exist yet."""
    return sandbox.home() / "project" / f"Pulumi.{stack}.yaml"


def document(stack: str) -> dict[str, Any]:
    """The content of the stack file, with the encrypted values that only its copy has. Raises StackFileError."""
    return complete(stack, stack_file.document(path(stack)))


def complete(stack: str, content: dict[str, Any]) -> dict[str, Any]:
    """The given content of a stack file, with the encrypted values that only the stack's copy has. Raises
    StackFileError."""
    return stack_file.with_encrypted(content, stack_file.document(copy(stack))) if copy(stack).exists() else content


def config_at(folder: Path, stack: str) -> dict[str, str]:
    """The stack's config in another checkout of the project, with the encrypted values that only the copy here has."""
    content = stack_file.document(folder / "stacks" / f"Pulumi.{stack}.yaml")
    other = stack_file.document(copy(stack)) if copy(stack).exists() else {}
    return stack_file.config(stack_file.with_encrypted(content, other, strict=False))


def config(stack: str) -> dict[str, str]:
    """The stack's config, as Pulumi passes it to the program: strings unchanged, all other values as JSON. Placeholders
    stand for encrypted values."""
    return stack_file.config(document(stack))
