"""Where state is kept outside the source tree."""

from dataclasses import dataclass
from pathlib import Path

from toolchain.paths import folder


def home() -> Path:
    """What cannot be made again: `$MESH_HOME`, else `mesh` in `$XDG_STATE_HOME` or `~/.local/state`.

    Readable by its owner alone. Another MESH_HOME is another sandbox, independent of this one.
    """
    return folder("MESH_HOME", "XDG_STATE_HOME", ".local/state")


@dataclass(frozen=True)
class Layout:
    """The files of one cluster, below `home()/cluster`."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by whoever starts, stops or resets; beside the folder, since a reset removes that."""
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
    """That of the cluster that MESH_HOME selects."""
    return Layout(home() / "cluster")
