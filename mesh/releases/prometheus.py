"""The configuration of Prometheus as types with its own field names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from mesh.core import documents
from mesh.core.typed import Typed

PORT: Final = 9090
"""Port of the server."""
FOLDER: Final = "/etc/config"
"""Mount path of the configuration files."""
FILE: Final = "prometheus.yml"
RULES: Final = ("recording_rules.yml", "alerting_rules.yml", "rules", "alerts")
"""Files for recording and alerting rules, which are empty."""


class Relabel(Typed):
    """A relabelling step: it changes a target's labels, or keeps or drops the target."""

    source_labels: tuple[str, ...] | None = None
    action: Literal["replace", "keep", "drop", "labelmap", "labeldrop", "labelkeep", "hashmod"] | None = None
    regex: str | bool | None = None
    replacement: str | None = None
    target_label: str | None = None


class Discovery(Typed):
    """Service discovery: the kind of Kubernetes object that becomes a target."""

    role: Literal["node", "service", "pod", "endpoints", "endpointslice", "ingress"]


class Static(Typed):
    """Static targets, by address."""

    targets: tuple[str, ...]


class TLS(Typed):
    """Verification of a target's certificate."""

    ca_file: str
    insecure_skip_verify: bool | None = None


class ScrapeConfig(Typed):
    """A scrape job: its targets, and how they are scraped."""

    job_name: str
    honor_labels: bool | None = None
    scrape_interval: str | None = None
    scrape_timeout: str | None = None
    metrics_path: str | None = None
    scheme: Literal["http", "https"] | None = None
    params: Mapping[str, tuple[str, ...]] | None = None
    bearer_token_file: str | None = None
    tls_config: TLS | None = None
    kubernetes_sd_configs: tuple[Discovery, ...] | None = None
    static_configs: tuple[Static, ...] | None = None
    relabel_configs: tuple[Relabel, ...] | None = None


class Global(Typed):
    """Defaults for all jobs."""

    scrape_interval: str = "15s"
    scrape_timeout: str = "10s"
    evaluation_interval: str = "1m"


class Config(Typed):
    """The whole file `prometheus.yml`."""

    global_: Global = Field(default=Global(), serialization_alias="global")
    rule_files: tuple[str, ...] = tuple(f"{FOLDER}/{name}" for name in RULES)
    scrape_configs: tuple[ScrapeConfig, ...]

    def document(self) -> dict[str, Any]:
        """The configuration as data, for YAML."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def files(self) -> dict[str, str]:
        """The files that Prometheus reads, by name; the files for rules are empty."""
        text = documents.dump(self.document(), sort_keys=False)
        return {FILE: text, **dict.fromkeys(RULES, "{}\n")}
