"""The files of the project's stacks (`stacks/Pulumi.<stack>.yaml`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mesh.config import stack_file
from mesh.core.errors import UserError

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final = "mesh"
_FOLDER: Final = ROOT / "stacks"


class CommandError(UserError):
    """A command cannot go on; the text says why and what to do."""


def names() -> list[str]:
    """The names of all stacks."""
    return stack_file.names(_FOLDER)


def path(stack: str) -> Path:
    """The stack's file. Raises StackFileError if there is none."""
    return stack_file.path(_FOLDER, stack)


def config(stack: str) -> dict[str, str]:
    """The stack's config, as Pulumi passes it on: strings unchanged, all other values as JSON."""
    return stack_file.config(path(stack))
