"""Loads a stack: reads, validates and compiles its config."""

from __future__ import annotations

import os

from commands import stackfiles
from mesh.config import loading
from mesh.config.stack import Stack


def load(name: str) -> Stack:
    """The compiled stack; `CONTEXT=…` of the command line overrides its context. Raises CommandError, SettingsError."""
    return loading.load(stackfiles.config(name), os.environ.get("CONTEXT") or None)
