"""Where things are kept outside the source tree."""

import os
from pathlib import Path


def folder(variable: str, xdg: str, fallback: str) -> Path:
    """The folder that `variable` names, else `mesh` in the one that `xdg` names, else in `~/<fallback>`.

    A relative name in `xdg` counts as not set, as the XDG base directory specification demands. The
    folder is made if it is not there; what is made is its owner's alone (mode 0700).
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
    """What can be made again: `$MESH_CACHE`, else `mesh` in `$XDG_CACHE_HOME` or `~/.cache`."""
    return folder("MESH_CACHE", "XDG_CACHE_HOME", ".cache")
