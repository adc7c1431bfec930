"""Loads a stack: reads, validates and compiles its config."""

from __future__ import annotations

import os

from commands import stackfiles
from mesh.config import loading
from mesh.config.stack import Stack


def load(name: str) -> Stack:
    """The compiled stack; `CONTEXT=…` of the command line overrides its context. Raises CommandError, SettingsError."""
    return loading.load(stackfiles.config(name), context())


def context() -> str | None:
    """The context of the command line; None if there is none."""
    return os.environ.get("CONTEXT") or None


def variables(name: str) -> str:
    """What the next `make` needs after its target for the same stack and cluster, such as ` STACK=demo CONTEXT=mine`;
    empty for the default."""
    named = {"STACK": "" if name == "dev" else name, "CONTEXT": os.environ.get("CONTEXT", "")}
    return "".join(f" {key}={value}" for key, value in named.items() if value)
