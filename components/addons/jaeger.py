"""Jaeger: its all-in-one image collects, stores and shows traces."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from components.addons.addon import Addon, AddonArgs, environment, mount, probe
from mesh.config.addons import JaegerAddon
from mesh.core.names import ZIPKIN, ZIPKIN_PORT

core = k8s.core.v1

ADMIN: Final = 14269
"""Port of health checks and metrics."""
QUERY: Final = 16686
"""Port of the user interface."""
COLLECTOR: Final = {"jaeger-collector-http": 14268, "jaeger-collector-grpc": 14250}
DATA: Final = "/badger"

_SETTINGS: Final = {
    "BADGER_EPHEMERAL": "false",
    "SPAN_STORAGE_TYPE": "badger",
    "BADGER_DIRECTORY_VALUE": f"{DATA}/data",
    "BADGER_DIRECTORY_KEY": f"{DATA}/key",
    "COLLECTOR_ZIPKIN_HTTP_PORT": str(ZIPKIN_PORT),
    "MEMORY_MAX_TRACES": "50000",
    "QUERY_BASE_PATH": JaegerAddon.path,
}


class Jaeger(Addon[JaegerAddon]):
    """Jaeger with three Services: for its user interface, for proxies (Zipkin), and for Jaeger's own protocols."""

    zipkin: pulumi.Output[str]
    """`host:port` to which proxies send spans; the mesh configuration has the same address."""
    labels = {"app": "jaeger"}

    def __init__(self, name: str, args: AddonArgs[JaegerAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self._deployment(self._pod(), self.labels, [], annotations=_SCRAPED)
        settings = args.settings
        pages = self._service(
            {"http-query": settings.port}, self.labels, name=settings.service, targets={"http-query": QUERY}
        )
        spans = self._service({"http-query": ZIPKIN_PORT}, self.labels, name=ZIPKIN, labels={"name": ZIPKIN})
        self._service(COLLECTOR, self.labels, name="jaeger-collector")
        self.zipkin = pulumi.Output.concat(spans.metadata.name, ".", spans.metadata.namespace, f":{ZIPKIN_PORT}")
        self._finish(pages)

    def _pod(self) -> core.PodSpecArgs:
        settings = self._args.settings
        kept = {"BADGER_SPAN_STORE_TTL": settings.retention} if settings.retention else {}
        return core.PodSpecArgs(
            containers=[
                core.ContainerArgs(
                    name="jaeger",
                    image=settings.image or self._args.mesh.release.addons.images["jaeger"],
                    env=environment({**_SETTINGS, **kept}),
                    readiness_probe=probe("/", ADMIN),
                    liveness_probe=probe("/", ADMIN),
                    resources=kube.resources(settings.resources),
                    volume_mounts=[mount("data", DATA)],
                )
            ],
            volumes=[self._storage("data", settings.persistence)],
        )


_SCRAPED: Final = {"prometheus.io/port": str(ADMIN), "prometheus.io/scrape": "true"}
