"""Prometheus: collects the metrics of proxies, istiod and the cluster."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from components.addons import prometheus_config
from components.addons.addon import Addon, AddonArgs, config_volume, mount, probe
from engine.outputs import with_known_value
from mesh.config.addons import PrometheusAddon
from mesh.core import documents
from mesh.core.kubernetes import Resources
from mesh.releases.roles import PolicyRules

core = k8s.core.v1

PORT: Final = PrometheusAddon.port
DATA: Final = "/data"
USER: Final = 65534
"""The uid of the image's user, `nobody`."""
RELOAD: Final = Resources(requests={"cpu": "5m", "memory": "16Mi"})
"""Requests of the container that makes Prometheus reload a changed configuration."""

_READ: Final = "get list watch"
RULES: Final[PolicyRules] = (
    ("core", "nodes nodes/proxy nodes/metrics services endpoints pods ingresses configmaps", _READ),
    ("extensions networking.k8s.io", "ingresses/status ingresses", _READ),
)
"""The rights to discover targets; `METRICS` adds the right to scrape the API server."""
METRICS: Final = k8s.rbac.v1.PolicyRuleArgs(non_resource_urls=["/metrics"], verbs=["get"])


class Prometheus(Addon[PrometheusAddon]):
    """Prometheus with its configuration, and the rights to discover and scrape its targets."""

    labels = {"app": "prometheus", "component": "server"}

    def __init__(self, name: str, args: AddonArgs[PrometheusAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        account = self._account()
        rights = self._grant([*rbac.rules(RULES), METRICS], account)
        documents = self._config_map(files(prometheus_config.config()))
        service = self._service({"http": PORT}, self.labels)
        self._deployment(self._pod(documents), self.labels, [account, rights, documents])
        self._finish(service)

    def _pod(self, documents: core.ConfigMap) -> core.PodSpecArgs:
        return core.PodSpecArgs(
            service_account_name=self._name,
            termination_grace_period_seconds=300,
            security_context=core.PodSecurityContextArgs(
                run_as_user=USER, run_as_group=USER, run_as_non_root=True, fs_group=USER
            ),
            containers=[self._server(), self._reloader()],
            volumes=[
                config_volume("config-volume", with_known_value(documents.metadata.name, self._name)),
                self._storage("storage-volume", self._args.settings.persistence),
            ],
        )

    def _reloader(self) -> core.ContainerArgs:
        return core.ContainerArgs(
            name="prometheus-server-configmap-reload",
            image=self._args.settings.reloadImage or self._args.mesh.release.addons.images["configmap-reload"],
            image_pull_policy="IfNotPresent",
            args=[f"--volume-dir={prometheus_config.FOLDER}", f"--webhook-url=http://127.0.0.1:{PORT}/-/reload"],
            resources=kube.resources(RELOAD),
            volume_mounts=[mount("config-volume", prometheus_config.FOLDER, read_only=True)],
        )

    def _server(self) -> core.ContainerArgs:
        settings = self._args.settings
        return core.ContainerArgs(
            name="prometheus-server",
            image=settings.image or self._args.mesh.release.addons.images["prometheus"],
            image_pull_policy="IfNotPresent",
            args=[
                f"--storage.tsdb.retention.time={settings.retention}",
                f"--config.file={prometheus_config.FOLDER}/{prometheus_config.FILE}",
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
            volume_mounts=[mount("config-volume", prometheus_config.FOLDER), mount("storage-volume", DATA)],
        )


def files(config: prometheus_config.Config) -> dict[str, str]:
    """The files that Prometheus reads, by name; the files for rules are empty."""
    text = documents.dump(config.document(), sort_keys=False)
    return {prometheus_config.FILE: text, **dict.fromkeys(prometheus_config.RULES, "{}\n")}
