"""The stacks of the project, compiled: what every command reads, once for each stack."""

from __future__ import annotations

import os

from commands import stackfiles
from mesh.config import loading
from mesh.config.stack import Stack


def load(name: str) -> Stack:
    """The stack of a name, with CONTEXT from the command line. Raises CommandError, SettingsError."""
    return loading.load(stackfiles.config(name), os.environ.get("CONTEXT") or None)
