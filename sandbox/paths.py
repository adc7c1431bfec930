"""Paths of the state that is kept outside the source tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.core.names import EMBEDDED_CLUSTERS
from toolchain.paths import folder


def home() -> Path:
    """The folder of state, which cannot be regenerated: `$MESH_HOME`, else `mesh` in `$XDG_STATE_HOME` or
    `~/.local/state`.

    It is readable by its owner only. Another MESH_HOME holds other, independent clusters.
    """
    return folder("MESH_HOME", "XDG_STATE_HOME", ".local/state")


@dataclass(frozen=True)
class Layout:
    """The paths of one cluster's files, below a folder of `home()`."""

    context: str
    """Name of the kubeconfig's context, cluster and user."""
    root: Path

    @property
    def lock(self) -> Path:
        """The lock of start, stop and reset. It is next to the folder, since a reset deletes the folder."""
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
    def istiod(self) -> Path:
        """The files of the real istiod. The folder exists only if the cluster uses the real istiod."""
        return self.root / "istiod"

    @property
    def simulated(self) -> Path:
        """The files of simulated control planes."""
        return self.root / "istiod-simulated"

    @property
    def tunnel(self) -> Path:
        """The socket through which the API server reaches Services."""
        return self.run / "tunnel.sock"

    @property
    def scheduler(self) -> Path:
        """The scheduler's configuration."""
        return self.root / "scheduler.json"

    @property
    def egress(self) -> Path:
        """The API server's configuration for the tunnel."""
        return self.root / "egress.json"

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


def layout(context: str) -> Layout:
    """The layout of an embedded cluster. Raises KeyError if `context` is not in EMBEDDED_CLUSTERS."""
    return Layout(context, home() / EMBEDDED_CLUSTERS[context])


def layouts() -> Sequence[Layout]:
    """The layouts of all embedded clusters, including those that do not exist yet."""
    return [layout(context) for context in EMBEDDED_CLUSTERS]
