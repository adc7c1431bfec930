"""Jaeger: one pod collects, stores and shows traces."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from components.addons.addon import CHECKSUM, Addon, AddonArgs, checksum, config_volume, environment, mount, probe
from mesh.config.addons import JaegerAddon
from mesh.core.names import ZIPKIN, ZIPKIN_PORT
from mesh.releases.addons import Jaeger as Sample
from mesh.releases.addons import Process

core = k8s.core.v1

QUERY: Final = 16686
"""Port of the user interface."""
DATA: Final = "/badger"
CONFIG: Final = "jaeger-configuration"


class Jaeger(Addon[JaegerAddon]):
    """Jaeger with three Services: for its user interface, for Zipkin's protocol, and for other protocols."""

    spans: pulumi.Output[str]
    """`host:port` to which proxies send spans. The mesh configuration has the same address."""

    def __init__(self, name: str, args: AddonArgs[JaegerAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        sample, settings = args.mesh.release.addons.jaeger, args.settings
        super().__init__(name, args, sample, opts)
        process = sample.process(settings.retention)
        config = [self._config_map(process.files)] if process.files else []
        changed = {CHECKSUM: checksum(*process.files.values())} if config else {}
        volumes = [self._storage("data", settings.persistence), *(config_volume(CONFIG, self._name) for _ in config)]
        pod = self._pod([self._server(sample, process)], volumes)
        self._deployment(pod, config, annotations=changed)
        pages = self._service(
            {"http-query": settings.port, **sample.query}, name=settings.service, targets={"http-query": QUERY}
        )
        zipkin = self._service({"http-query": ZIPKIN_PORT}, name=ZIPKIN, labels={"name": ZIPKIN})
        collector = self._service(sample.collector, name="jaeger-collector")
        receiver, port = (zipkin, ZIPKIN_PORT) if sample.tracer is None else (collector, sample.tracer)
        self.spans = pulumi.Output.concat(receiver.metadata.name, ".", receiver.metadata.namespace, f":{port}")
        self._finish(pages)

    def _server(self, sample: Sample, process: Process) -> core.ContainerArgs:
        settings = self._args.settings
        mounts = [mount("data", DATA), *([mount(CONFIG, f"/{CONFIG}")] if process.files else [])]
        return self._container(
            "jaeger",
            settings.image or sample.image,
            args=list(process.arguments) or None,
            env=environment(process.environment) or None,
            readiness_probe=probe(*sample.health),
            liveness_probe=probe(*sample.health),
            resources=kube.resources(settings.resources),
            volume_mounts=mounts,
        )
