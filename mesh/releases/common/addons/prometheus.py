"""Scrape jobs of Prometheus, and the steps of which they consist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from mesh.releases.prometheus import TLS, Discovery, Relabel, ScrapeConfig, Static

META: Final = "__meta_kubernetes_"
_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"

ITSELF: Final = ScrapeConfig(job_name="prometheus", static_configs=(Static(targets=("localhost:9090",)),))


def keep(regex: str | bool, *labels: str, action: Literal["keep", "drop"] = "keep") -> Relabel:
    """Keeps or drops targets whose labels match."""
    return Relabel(action=action, regex=regex, source_labels=tuple(META + label for label in labels))


def copy(source: str, target: str, regex: str | None = None, action: Literal["replace"] | None = "replace") -> Relabel:
    """Copies a label's value, or the part that `regex` finds."""
    source = source if source.startswith("__") else META + source
    return Relabel(action=action, regex=regex, source_labels=(source,), target_label=target)


def mapped(labels: str, replacement: str | None = None) -> Relabel:
    """Copies the object's labels, or others whose names begin with `labels`, to the target."""
    return Relabel(action="labelmap", regex=f"{META}{labels}_(.+)", replacement=replacement)


API_SERVER: Final = keep("default;kubernetes;https", "namespace", "service_name", "endpoint_port_name")


def of_cluster(
    job: str, role: Literal["endpoints", "node"], *relabel: Relabel, path: str | None = None, verify: bool = False
) -> ScrapeConfig:
    """A job whose targets need TLS and a service account's token. `verify`: whether their certificates are verified."""
    return ScrapeConfig(
        job_name=job,
        scheme="https",
        metrics_path=path,
        bearer_token_file=f"{_ACCOUNT}/token",
        tls_config=TLS(ca_file=f"{_ACCOUNT}/ca.crt", insecure_skip_verify=None if verify else True),
        kubernetes_sd_configs=(Discovery(role=role),),
        relabel_configs=relabel,
    )


PUSHGATEWAY: Final = ScrapeConfig(
    job_name="prometheus-pushgateway",
    honor_labels=True,
    kubernetes_sd_configs=(Discovery(role="service"),),
    relabel_configs=(keep("pushgateway", "service_annotation_prometheus_io_probe"),),
)


def probed(namespace: str, name: str, honor_labels: bool | None = None) -> ScrapeConfig:
    """Services that an exporter called `blackbox` probes; `namespace` and `name` are the labels for these of theirs."""
    return ScrapeConfig(
        job_name="kubernetes-services",
        honor_labels=honor_labels,
        metrics_path="/probe",
        params={"module": ("http_2xx",)},
        kubernetes_sd_configs=(Discovery(role="service"),),
        relabel_configs=(
            keep(True, "service_annotation_prometheus_io_probe"),
            copy("__address__", "__param_target", action=None),
            Relabel(target_label="__address__", replacement="blackbox"),
            copy("__param_target", "instance", action=None),
            mapped("service_label"),
            copy("namespace", namespace, action=None),
            copy("service_name", name, action=None),
        ),
    )


def at_both_speeds(
    job: str,
    role: Literal["endpoints", "pod"],
    fast: tuple[Relabel, ...],
    slow: tuple[Relabel, ...],
    honor_labels: bool | None = None,
) -> Iterator[ScrapeConfig]:
    """The job, and one every 5 minutes for targets with the annotation `prometheus.io/scrape_slow`."""
    found = (Discovery(role=role),)
    yield ScrapeConfig(job_name=job, honor_labels=honor_labels, kubernetes_sd_configs=found, relabel_configs=fast)
    yield ScrapeConfig(
        job_name=f"{job}-slow",
        honor_labels=honor_labels,
        scrape_interval="5m",
        scrape_timeout="30s",
        kubernetes_sd_configs=found,
        relabel_configs=slow,
    )
