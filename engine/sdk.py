"""Whether Pulumi's SDK is one that this package knows from the inside."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

PLAIN: Final = "MESH_PLAIN_SDK"
"""Environment variable: the program uses the SDK as it ships, without patches, and is slower."""
WRITTEN_FOR: Final = {"pulumi": "3.215.0", "pulumi-kubernetes": "4.25.0"}
"""The packages that the patches change or rely on, with the versions that they were written for."""


def is_plain() -> bool:
    """Whether the SDK is to be used as it ships: the user wants it so, or its version is another one."""
    return bool(os.environ.get(PLAIN)) or bool(unknown_versions())


@cache
def unknown_versions() -> tuple[str, ...]:
    """In words, each installed package of a version that the patches were not written for."""
    from importlib.metadata import version  # loads a lot, and `MESH_PLAIN_SDK` needs none of it

    installed = {package: version(package) for package in WRITTEN_FOR}
    return tuple(
        f"{package} {have} is installed, and the patches were written for {WRITTEN_FOR[package]}"
        for package, have in installed.items()
        if have != WRITTEN_FOR[package]
    )
