"""The configuration of Prometheus as types with its own field names, and the one that the addon uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field

from mesh.core.typed import Typed

_META: Final = "__meta_kubernetes_"
_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
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
    insecure_skip_verify: bool = False


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


def config() -> Config:
    """Scrapes Prometheus itself, the API server, the nodes, and pods and Services with `prometheus.io` annotations.

    Jobs and relabelling are those of the release's sample."""
    return Config(
        scrape_configs=(
            ScrapeConfig(job_name="prometheus", static_configs=(Static(targets=("localhost:9090",)),)),
            _of_cluster("kubernetes-apiservers", "endpoints", _API_SERVER),
            _of_cluster("kubernetes-nodes", "node", *_through_api_server("/metrics")),
            _of_cluster("kubernetes-nodes-cadvisor", "node", *_through_api_server("/metrics/cadvisor")),
            *_at_both_speeds("kubernetes-service-endpoints", "endpoints", _of_service_endpoints),
            ScrapeConfig(
                job_name="prometheus-pushgateway",
                honor_labels=True,
                kubernetes_sd_configs=(Discovery(role="service"),),
                relabel_configs=(_keep("pushgateway", "service_annotation_prometheus_io_probe"),),
            ),
            _PROBED,
            *_at_both_speeds("kubernetes-pods", "pod", _of_pods),
        )
    )


def _keep(regex: str | bool, *labels: str) -> Relabel:
    return Relabel(action="keep", regex=regex, source_labels=tuple(_META + label for label in labels))


def _copy(source: str, target: str, regex: str | None = None, action: Literal["replace"] | None = "replace") -> Relabel:
    source = source if source.startswith("__") else _META + source
    return Relabel(action=action, regex=regex, source_labels=(source,), target_label=target)


def _map(labels: str) -> Relabel:
    """Copies the object's labels to the target."""
    return Relabel(action="labelmap", regex=f"{_META}{labels}_(.+)")


_API_SERVER: Final = _keep("default;kubernetes;https", "namespace", "service_name", "endpoint_port_name")


def _through_api_server(path: str) -> tuple[Relabel, ...]:
    """Scrapes a node through the API server's proxy, since pods may not reach the kubelet."""
    return (
        _map("node_label"),
        Relabel(target_label="__address__", replacement="kubernetes.default.svc:443"),
        Relabel(
            source_labels=(f"{_META}node_name",),
            regex="(.+)",
            target_label="__metrics_path__",
            replacement=f"/api/v1/nodes/$1/proxy{path}",
        ),
    )


def _of_cluster(job: str, role: Literal["endpoints", "node"], *relabel: Relabel) -> ScrapeConfig:
    """A job whose targets need TLS and a service account's token."""
    return ScrapeConfig(
        job_name=job,
        scheme="https",
        bearer_token_file=f"{_ACCOUNT}/token",
        tls_config=TLS(ca_file=f"{_ACCOUNT}/ca.crt", insecure_skip_verify=True),
        kubernetes_sd_configs=(Discovery(role=role),),
        relabel_configs=relabel,
    )


def _annotated(kind: str, slow: str) -> tuple[Relabel, ...]:
    """Keeps targets with the annotation `prometheus.io/scrape`, and takes scheme, path and port from annotations."""
    asked = f"{kind}_annotation_prometheus_io_"
    return (
        _keep(True, f"{asked}scrape{slow}"),
        _copy(f"{asked}scheme", "__scheme__", "(https?)"),
        _copy(f"{asked}path", "__metrics_path__", "(.+)"),
        Relabel(
            action="replace",
            source_labels=("__address__", f"{_META}{asked}port"),
            regex=r"([^:]+)(?::\d+)?;(\d+)",
            replacement="$1:$2",
            target_label="__address__",
        ),
        _map(f"{kind}_label"),
        _copy("namespace", "kubernetes_namespace"),
    )


def _at_both_speeds(
    job: str, role: Literal["endpoints", "pod"], relabel: Callable[[str], tuple[Relabel, ...]]
) -> Iterator[ScrapeConfig]:
    """The job, and one every 5 minutes for targets with the annotation `prometheus.io/scrape_slow`."""
    found = (Discovery(role=role),)
    yield ScrapeConfig(job_name=job, kubernetes_sd_configs=found, relabel_configs=relabel(""))
    yield ScrapeConfig(
        job_name=f"{job}-slow",
        scrape_interval="5m",
        scrape_timeout="30s",
        kubernetes_sd_configs=found,
        relabel_configs=relabel("_slow"),
    )


def _of_service_endpoints(slow: str) -> tuple[Relabel, ...]:
    return (
        *_annotated("service", slow),
        _copy("service_name", "kubernetes_name"),
        _copy("pod_node_name", "kubernetes_node"),
    )


def _of_pods(slow: str) -> tuple[Relabel, ...]:
    over = Relabel(action="drop", regex="Pending|Succeeded|Failed", source_labels=(f"{_META}pod_phase",))
    return (*_annotated("pod", slow), _copy("pod_name", "kubernetes_pod_name"), over)


_PROBED: Final = ScrapeConfig(
    job_name="kubernetes-services",
    metrics_path="/probe",
    params={"module": ("http_2xx",)},
    kubernetes_sd_configs=(Discovery(role="service"),),
    relabel_configs=(
        _keep(True, "service_annotation_prometheus_io_probe"),
        _copy("__address__", "__param_target", action=None),
        Relabel(target_label="__address__", replacement="blackbox"),
        _copy("__param_target", "instance", action=None),
        _map("service_label"),
        _copy("namespace", "kubernetes_namespace", action=None),
        _copy("service_name", "kubernetes_name", action=None),
    ),
)
"""Services that an exporter called `blackbox` probes."""
