"""Paths of the folders outside the source tree."""

import os
from pathlib import Path


def folder(variable: str, xdg: str, fallback: str) -> Path:
    """The folder that the environment variable `variable` names. Otherwise the folder `mesh` in the folder that the
    variable `xdg` names, or in `~/<fallback>`.

    A relative path in `xdg` is ignored, as the XDG base directory specification requires. A missing folder is created
    with mode 0700.
    """
    if os.environ.get(variable):
        path = Path(os.environ[variable]).expanduser().absolute()
    elif Path(os.environ.get(xdg, "")).is_absolute():
        path = Path(os.environ[xdg]) / "mesh"
    else:
        path = Path.home() / fallback / "mesh"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def cache() -> Path:
    """The folder of files that can be regenerated: `$MESH_CACHE`, else `mesh` in `$XDG_CACHE_HOME` or `~/.cache`."""
    return folder("MESH_CACHE", "XDG_CACHE_HOME", ".cache")
