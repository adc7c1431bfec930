"""The files of the live data plane, below `home()/cluster/live`."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from sandbox.paths import Layout


@dataclass(frozen=True)
class Folder:
    """Where they are."""

    layout: Layout

    @property
    def root(self) -> Path:
        return self.layout.root / "live"

    @property
    def config(self) -> Path:
        """The folder that pilot reads."""
        return self.root / "config"

    @property
    def objects(self) -> Path:
        return self.config / "objects.yaml"

    @property
    def mesh_config(self) -> Path:
        return self.root / "mesh.json"

    @property
    def notes(self) -> Path:
        """What the sync process has to say to people."""
        return self.root / "notes.json"

    @property
    def switches(self) -> Path:
        """What a person wants to go wrong in the stand-ins."""
        return self.root / "switches.json"

    @property
    def scraping(self) -> Path:
        """Configuration of a Prometheus that watches what is live."""
        return self.root / "prometheus.yml"

    def plan(self, digest: str) -> Path:
        return self.root / f"plan-{digest}.json"

    def bootstrap(self, proxy: str, digest: str) -> Path:
        return self.root / f"{proxy}-{digest}.json"

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    def make(self) -> None:
        """Makes the folders that are not there."""
        for folder in (self.root, self.config, self.certificates):
            folder.mkdir(mode=0o700, exist_ok=True)

    def tidy(self, wanted: Set[Path]) -> None:
        """Removes plans and bootstraps of processes that were."""
        for file in set(self.root.glob("*-*.json")) - wanted:
            file.unlink()
