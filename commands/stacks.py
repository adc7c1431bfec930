"""Loads a stack: reads, validates and compiles its config."""

from __future__ import annotations

import os

from commands import stackfiles
from mesh.config import loading
from mesh.config.stack import Stack


def load(name: str) -> Stack:
    """The compiled stack. The variable CONTEXT overrides its context. Raises CommandError, SettingsError."""
    return loading.load(stackfiles.config(name), context())


def context() -> str | None:
    """The value of the variable CONTEXT; None if it is not set."""
    return os.environ.get("CONTEXT") or None


def variables(name: str) -> str:
    """The variables that select the same stack and cluster in the next `make` command, such as
    ` STACK=demo CONTEXT=mine`; empty for the default stack."""
    named = {"STACK": "" if name == "dev" else name, "CONTEXT": os.environ.get("CONTEXT", "")}
    return "".join(f" {key}={value}" for key, value in named.items() if value)
