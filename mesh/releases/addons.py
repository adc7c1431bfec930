"""The parts of a release's samples for each addon: images, labels, security of pods, and configurations.

Parts of Kubernetes objects have the field names of its API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mesh.releases.dashboards import Dashboards
from mesh.releases.prometheus import Config
from mesh.releases.roles import PolicyRules

Labels = Mapping[str, str]
Part = Mapping[str, Any]

JAEGER_PATH: Final = "/jaeger"
KIALI_PATH: Final = "/kiali"
"""Path prefixes of web pages."""
KIALI_PORT: Final = 20001
KIALI_METRICS_PORT: Final = 9090
LOKI_PORT: Final = 3100
LOKI_GRPC_PORT: Final = 9095


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An addon: its pods, and the labels of its objects."""

    image: str
    """Full image reference."""
    selector: Labels
    """The labels by which its Services and its workload select pods."""
    labels: Labels
    """The labels of its objects."""
    pod_labels: Labels
    annotations: Labels
    """Annotations of its pods."""
    security: Part | None = None
    """The security context of its pods."""
    container_security: Part | None = None
    """The security context of their containers."""
    token: bool = True
    """Whether its pods get the service account's token."""


@dataclass(frozen=True, kw_only=True)
class Reloader:
    """The container that makes Prometheus reload a changed configuration."""

    image: str
    arguments: tuple[str, ...]
    port: int | None = None
    """Port of its health checks, at `/healthz`; None if it has none."""


@dataclass(frozen=True, kw_only=True)
class Prometheus(Sample):
    """Prometheus."""

    config: Config
    rules: PolicyRules
    """The permissions to discover targets."""
    reloader: Reloader
    alone: bool
    """Whether its old pod ends before a new one starts."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """The arguments, environment and files with which a container starts."""

    arguments: tuple[str, ...] = ()
    environment: Labels = field(default_factory=dict)
    files: Labels = field(default_factory=dict)
    """Files of a ConfigMap, by name."""


@dataclass(frozen=True, kw_only=True)
class Jaeger(Sample):
    """Jaeger."""

    process: Callable[[str | None], Process]
    """How it is started, given how long it stores traces; None for its default."""
    health: tuple[str, int]
    """Path and port of its health check."""
    query: Mapping[str, int]
    """Ports of its Service for readers, beside the one for browsers, by name."""
    collector: Mapping[str, int]
    """Ports of its Service for senders, by name."""
    tracer: int | None = None
    """The port of that Service to which proxies send spans; None if they send them to its Service for Zipkin."""


@dataclass(frozen=True, kw_only=True)
class Grafana(Sample):
    """Grafana."""

    data: str
    """Folder of its database, below the volume's `/var/lib/grafana`."""
    ini: Mapping[str, Mapping[str, str]]
    """Sections of its configuration file beside those that name folders."""
    port: str
    """Name of the container's port."""
    open: Labels
    """Environment variables of a Grafana without a login."""
    interval: str
    """The interval at which Prometheus scrapes, for Grafana's configuration."""
    dashboards: Dashboards


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume with the files of a Secret or a ConfigMap, if there is such an object."""

    path: str
    secret: str | None = None
    config_map: str | None = None
    read_only: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Login:
    """How addons log in to an existing program."""

    kind: Literal["basic", "token"]
    user: str = ""

    @property
    def part(self) -> str:
        """The secret part: `password` or `token`."""
        return "password" if self.kind == "basic" else "token"


@dataclass(frozen=True, kw_only=True)
class KialiView:
    """The parts of Kiali's configuration about other addons."""

    urls: Mapping[str, str]
    """URLs inside the cluster of the other addons, by name."""
    external_urls: Mapping[str, str]
    """Their URLs for browsers."""
    insecure: bool
    """Whether it is open without a login."""
    there: Collection[str] = ()
    """Names of the addons that are existing programs, not the stack's own."""
    logins: Mapping[str, Login] = field(default_factory=dict)
    """How Kiali logs in to the addons that require it, by name."""

    def auth(self, name: str) -> dict[str, Any]:
        """The section of its configuration for the login to an addon; empty if there is no login."""
        if not (login := self.logins.get(name)):
            return {}
        user = {"username": login.user} if login.user else {}
        return {"auth": {"type": "basic" if login.kind == "basic" else "bearer", **user}}


@dataclass(frozen=True, kw_only=True)
class Kiali(Sample):
    """Kiali."""

    rules: Callable[[str, bool], PolicyRules]
    """Its permissions, given its namespace, with or without those to change Istio's objects and workloads."""
    reads_secrets: bool
    """Whether an open Kiali looks for remote clusters among the Secrets of its namespace."""
    key_file: str | None
    """The file from which it reads the key that signs its sessions; None if it reads an environment variable."""
    volumes: Mapping[str, Volume]
    """Optional volumes, by name."""
    pull: str
    """When its image is pulled."""
    protocol: str | None
    """`appProtocol` of its Service's ports."""
    container: Part
    """Further fields of its container."""
    dashboards: Mapping[str, Part]
    """The `spec` of its MonitoringDashboards, by name; none if it has them built in."""


@dataclass(frozen=True, kw_only=True)
class Loki(Sample):
    """Loki."""

    rules_image: str
    """Image of the container that copies rules from ConfigMaps."""
    config: Callable[[str, str], Part]
    """Its configuration, given its namespace and the cluster's domain."""


@dataclass(frozen=True, kw_only=True)
class Addons:
    """The addons in the samples of a release."""

    prometheus: Prometheus
    jaeger: Jaeger
    grafana: Grafana
    kiali: Kiali
    loki: Loki | None = None
    """None if the samples have no Loki."""
