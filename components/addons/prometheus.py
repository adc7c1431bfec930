"""Prometheus: collects the metrics of proxies, istiod and the cluster."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from components.addons.addon import Addon, AddonArgs, config_volume, mount, probe, rolling_update
from engine.outputs import with_known_value
from mesh.config.addons import PrometheusAddon
from mesh.core.kubernetes import Resources
from mesh.releases.addons import Reloader
from mesh.releases.prometheus import FILE, FOLDER, PORT

core = k8s.core.v1

DATA: Final = "/data"
RELOAD: Final = Resources(requests={"cpu": "5m", "memory": "16Mi"})
"""Requests of the container that makes Prometheus reload a changed configuration."""
METRICS: Final = k8s.rbac.v1.PolicyRuleArgs(non_resource_urls=["/metrics"], verbs=["get"])
"""The right to scrape the API server."""


class Prometheus(Addon[PrometheusAddon]):
    """Prometheus with its configuration, and the rights to discover and scrape its targets."""

    def __init__(self, name: str, args: AddonArgs[PrometheusAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        sample = args.mesh.release.addons.prometheus
        super().__init__(name, args, sample, opts)
        account = self._account()
        rights = self._grant([*rbac.rules(sample.rules), METRICS], account)
        documents = self._config_map(sample.config.files())
        service = self._service({"http": PORT})
        pod = self._pod(
            [self._server(sample.image), self._reloader(sample.reloader)],
            [
                config_volume("config-volume", with_known_value(documents.metadata.name, self._name)),
                self._storage("storage-volume", args.settings.persistence),
            ],
            service_account_name=self._name,
            termination_grace_period_seconds=300,
        )
        strategy = rolling_update(0) if sample.alone else None
        self._deployment(pod, [account, rights, documents], strategy=strategy)
        self._finish(service)

    def _reloader(self, reloader: Reloader) -> core.ContainerArgs:
        checked = reloader.port is not None
        return self._container(
            "prometheus-server-configmap-reload",
            self._args.settings.reloadImage or reloader.image,
            image_pull_policy="IfNotPresent",
            args=list(reloader.arguments),
            ports=[core.ContainerPortArgs(name="metrics", container_port=reloader.port)] if reloader.port else None,
            readiness_probe=probe("/healthz", "metrics", period_seconds=10) if checked else None,
            liveness_probe=probe("/healthz", "metrics", period_seconds=10, initial_delay_seconds=2)
            if checked
            else None,
            resources=kube.resources(RELOAD),
            volume_mounts=[mount("config-volume", FOLDER, read_only=True)],
        )

    def _server(self, image: str) -> core.ContainerArgs:
        settings = self._args.settings
        return self._container(
            "prometheus-server",
            settings.image or image,
            image_pull_policy="IfNotPresent",
            args=[
                f"--storage.tsdb.retention.time={settings.retention}",
                f"--config.file={FOLDER}/{FILE}",
                f"--storage.tsdb.path={DATA}",
                "--web.console.libraries=/etc/prometheus/console_libraries",
                "--web.console.templates=/etc/prometheus/consoles",
                "--web.enable-lifecycle",
            ],
            ports=[core.ContainerPortArgs(container_port=PORT)],
            readiness_probe=probe("/-/ready", PORT, period_seconds=5, timeout_seconds=4, failure_threshold=3),
            liveness_probe=probe(
                "/-/healthy", PORT, initial_delay_seconds=30, period_seconds=15, timeout_seconds=10, failure_threshold=3
            ),
            resources=kube.resources(settings.resources),
            volume_mounts=[mount("config-volume", FOLDER), mount("storage-volume", DATA)],
        )
