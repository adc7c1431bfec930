"""Settings of the proxies' telemetry: Istio's standard metrics, and metrics and logs for Google Cloud."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mesh.core.typed import Deciding, Documented, Form

AccessLogging = Literal["", "NONE", "FULL", "ERRORS_ONLY"]
Seconds = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?s$"), Form("duration: seconds, such as `3600s`"), Deciding]


class Wasm(Documented):
    """How a telemetry filter runs."""

    wasmEnabled: bool = False
    """Whether the filter runs as WebAssembly in sidecars; otherwise the one compiled into the proxy is used."""


class PrometheusOverride(Documented):
    """Configurations of the filter that generates Istio's standard metrics, in place of Istio's own: fields as the
    filter has them, such as `metrics`. An empty one changes nothing."""

    gateway: dict[str, Any] = {}
    """In gateways."""
    inboundSidecar: dict[str, Any] = {}
    """In sidecars, for what they receive."""
    outboundSidecar: dict[str, Any] = {}
    """In sidecars, for what they send."""


class Prometheus(Wasm):
    """Istio's standard metrics."""

    enabled: bool = True
    """Whether proxies generate these metrics."""
    configOverride: PrometheusOverride = PrometheusOverride()
    """Configurations in place of Istio's own."""


class StackdriverFilter(Documented):
    """Metrics and logs for Google Cloud, which proxies send themselves."""

    enabled: bool = False
    """Whether proxies send them."""
    logging: bool = False
    """Whether sidecars log the requests that they receive, unless `inboundAccessLogging` says which."""
    disableOutbound: bool = False
    """Whether sidecars send nothing about the requests that they send."""
    inboundAccessLogging: AccessLogging = ""
    """Which of the requests that they receive sidecars log; the filter's own choice if empty."""
    outboundAccessLogging: AccessLogging = ""
    """Which requests gateways log, and which of the requests that they send sidecars log; the filter's own choice if
    empty."""
    configOverride: dict[str, Any] = {}
    """The filter's configuration, such as `disable_host_header_fallback: true`, in place of that which follows from the
    fields above; an empty one changes nothing."""


class AccessLogPolicy(Documented):
    """Sampling of the logs for Google Cloud, with `stackdriver.enabled`."""

    enabled: bool = False
    """Whether sidecars log the successful requests of a client only once in a while."""
    logWindowDuration: Seconds = "43200s"
    """The time before another successful request of the same client is logged, such as `3600s`."""


class TelemetryV2(Documented):
    """Telemetry filters of the proxies."""

    enabled: bool = True
    """Whether the EnvoyFilters are installed."""
    metadataExchange: Wasm = Wasm()
    """The metadata exchange filter: proxies exchange the metadata of their workloads, for the labels of metrics."""
    prometheus: Prometheus = Prometheus()
    """Istio's standard metrics."""
    stackdriver: StackdriverFilter = StackdriverFilter()
    """Metrics and logs for Google Cloud."""
    accessLogPolicy: AccessLogPolicy = AccessLogPolicy()
    """Sampling of the logs for Google Cloud."""


class Telemetry(Documented):
    """Telemetry of the proxies: filters that generate Istio's standard metrics."""

    enabled: bool = True
    """Whether telemetry is on."""
    v2: TelemetryV2 = TelemetryV2()
    """Telemetry filters of the proxies."""

    @property
    def installed(self) -> bool:
        """Whether telemetry filters are installed."""
        return self.enabled and self.v2.enabled
