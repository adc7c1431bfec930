"""The paths of the live data plane's files, in folder `live` of its cluster's files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.paths import Layout


@dataclass(frozen=True)
class Folder:
    """The paths of the files of one cluster's live data plane."""

    layout: Layout

    @property
    def root(self) -> Path:
        return self.layout.root / "live"

    @property
    def config(self) -> Path:
        """The folder whose objects pilot reads."""
        return self.root / "config"

    @property
    def objects(self) -> Path:
        return self.config / "objects.yaml"

    @property
    def mesh_config(self) -> Path:
        return self.root / "mesh.json"

    @property
    def notes(self) -> Path:
        """Facts that the sync process writes for `make status`."""
        return self.root / "notes.json"

    @property
    def switches(self) -> Path:
        """Faults that the user switches on in the stand-ins."""
        return self.root / "switches.json"

    @property
    def scraping(self) -> Path:
        """Configuration for a Prometheus that scrapes pilot and the proxies."""
        return self.root / "prometheus.yml"

    def plan(self, digest: str) -> Path:
        return self.root / f"plan-{digest}.json"

    def pod(self, proxy: str) -> Path:
        """The working folder of a proxy's agent, with the files that the kubelet mounts into its pod."""
        return self.root / "pods" / proxy

    @property
    def envoy(self) -> Path:
        """The program that the agents start as Envoy."""
        return self.root / "envoy"

    def bootstrap(self, proxy: str, digest: str) -> Path:
        return self.root / f"{proxy}-{digest}.json"

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    def make(self) -> None:
        """Creates the missing folders."""
        for folder in (self.root, self.config, self.certificates):
            folder.mkdir(mode=0o700, exist_ok=True)

    def tidy(self, commands: Iterable[Sequence[str]]) -> None:
        """Deletes the plans and bootstrap configurations that none of the command lines names."""
        named = "\0".join(word for command in commands for word in command)
        for file in self.root.glob("*-*.json"):
            if str(file) not in named:
                file.unlink()
