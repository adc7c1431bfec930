"""Paths of the state that is kept outside the source tree."""

from dataclasses import dataclass
from pathlib import Path

from toolchain.paths import folder


def home() -> Path:
    """The folder of state, which cannot be regenerated: `$MESH_HOME`, else `mesh` in `$XDG_STATE_HOME` or
    `~/.local/state`.

    It is readable by its owner only. Another MESH_HOME holds another, independent cluster.
    """
    return folder("MESH_HOME", "XDG_STATE_HOME", ".local/state")


@dataclass(frozen=True)
class Layout:
    """The paths of one cluster's files, below `home()/cluster`."""

    root: Path

    @property
    def lock(self) -> Path:
        """The lock of start, stop and reset. It is beside the folder, since a reset deletes the folder."""
        return self.root.with_suffix(".lock")

    @property
    def network(self) -> Path:
        return self.root / "ports.json"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def stages(self) -> Path:
        return self.root / "stages.yaml"

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def data(self) -> Path:
        return self.root / "etcd"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"


def layout() -> Layout:
    """The layout of the cluster in `home()`."""
    return Layout(home() / "cluster")
