"""Settings of the tracers, of which `global.proxy.tracer` chooses one."""

from __future__ import annotations

from pydantic import Field

from mesh.api.names import HOST_IP, ProxyAddressOrNone, TracerAddressOrNone
from mesh.core.typed import Documented


class DatadogTracer(Documented):
    """A Datadog agent."""

    address: TracerAddressOrNone = f"{HOST_IP}:8126"
    """`host:port` of the agent; `$(HOST_IP)` is the pod's node."""


class LightstepTracer(Documented):
    """A Lightstep satellite pool."""

    address: ProxyAddressOrNone = ""
    """`host:port` of the pool; needed if `global.proxy.tracer` is `lightstep`."""
    accessToken: str = ""
    """Access token of the pool; needed as well. It is in the mesh configuration, which many can read."""


class StackdriverTracer(Documented):
    """Google Cloud Trace."""

    debug: bool = False
    """Whether spans are also written to standard output."""
    maxNumberOfAttributes: int = Field(default=200, ge=0)
    """Maximum number of attributes of a span; the proxy's own default if 0."""
    maxNumberOfAnnotations: int = Field(default=200, ge=0)
    """Maximum number of annotations of a span; the proxy's own default if 0."""
    maxNumberOfMessageEvents: int = Field(default=200, ge=0)
    """Maximum number of message events of a span; the proxy's own default if 0."""

    @property
    def config(self) -> dict[str, int | bool]:
        """The fields of the proxies' tracing configuration: those that are set."""
        return {name: value for name, value in self.model_dump().items() if value}


class ZipkinTracer(Documented):
    """A Zipkin collector."""

    address: TracerAddressOrNone = ""
    """`host:port` of the collector; the Service `zipkin` in Istio's namespace, port 9411, if empty."""


class Tracers(Documented):
    """Settings of each tracer. `meshConfig.defaultConfig.tracing` has the same settings, and overrides these."""

    datadog: DatadogTracer = DatadogTracer()
    """A Datadog agent."""
    lightstep: LightstepTracer = LightstepTracer()
    """A Lightstep satellite pool."""
    stackdriver: StackdriverTracer = StackdriverTracer()
    """Google Cloud Trace."""
    zipkin: ZipkinTracer = ZipkinTracer()
    """A Zipkin collector."""
