"""Decides whether Pulumi's SDK may be patched, by its versions and an environment variable."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

PLAIN: Final = "MESH_PLAIN_SDK"
"""Environment variable: if it is set, the SDK is not patched, which makes the program slower."""
WRITTEN_FOR: Final = {"pulumi": "3.215.0", "pulumi-kubernetes": "4.25.0"}
"""The packages that are patched or relied on, with the versions that the patches were written for."""


def is_plain() -> bool:
    """Whether the SDK stays unpatched: `MESH_PLAIN_SDK` is set, or a package has another version."""
    return bool(os.environ.get(PLAIN)) or bool(unknown_versions())


@cache
def unknown_versions() -> tuple[str, ...]:
    """A message for each installed package whose version is not the one that the patches were written for."""
    from importlib.metadata import version  # slow to import, and not needed with `MESH_PLAIN_SDK`

    installed = {package: version(package) for package in WRITTEN_FOR}
    return tuple(
        f"{package} {have} is installed, and the patches were written for {WRITTEN_FOR[package]}"
        for package, have in installed.items()
        if have != WRITTEN_FOR[package]
    )
