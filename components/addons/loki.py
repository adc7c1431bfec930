"""Loki: stores logs that other programs send, for Grafana."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from components.addons.addon import CHECKSUM, Addon, AddonArgs, checksum, config_volume, environment, mount, probe
from mesh.config.addons import LokiAddon
from mesh.core import documents
from mesh.core.kubernetes import Resources
from mesh.releases.addons import LOKI_GRPC_PORT, LOKI_PORT
from mesh.releases.addons import Loki as Sample

core, meta = k8s.core.v1, k8s.meta.v1

MEMBERS: Final = 7946
"""Port on which several instances of Loki would find each other."""
RULES: Final = "/rules"
SIDECAR: Final = Resources(requests={"cpu": "5m", "memory": "64Mi"})
"""Requests of the container that copies rules from ConfigMaps."""
_WATCH: Final = {
    "METHOD": "WATCH",
    "LABEL": "loki_rule",
    "FOLDER": RULES,
    "WATCH_SERVER_TIMEOUT": "60",
    "WATCH_CLIENT_TIMEOUT": "60",
    "LOG_LEVEL": "INFO",
}


class Loki(Addon[LokiAddon]):
    """Loki without a login, which can be reached only inside the cluster. It reads rules from ConfigMaps in Istio's
    namespace with the label `loki_rule`. Unless `insecureDemo` is set, it may not read Secrets or other namespaces."""

    def __init__(self, name: str, args: AddonArgs[LokiAddon], opts: pulumi.ResourceOptions | None = None) -> None:
        sample = args.mesh.release.addons.loki
        if sample is None:  # the settings refuse this already
            raise ValueError(f"release {args.mesh.release.name} has no addon {name}")
        super().__init__(name, args, sample, opts)
        account = self._account()
        domain = args.mesh.values.global_.proxy.clusterDomain
        text = documents.dump(sample.config(args.mesh.root, domain), sort_keys=False)
        configs = [
            self._config_map({"config.yaml": text}),
            self._config_map({"runtime-config.yaml": "{}\n"}, "loki-runtime"),
        ]
        service = self._service({"http-metrics": LOKI_PORT, "grpc": LOKI_GRPC_PORT})
        self._service({"tcp": MEMBERS}, name="loki-memberlist", headless=True)
        self._service({"http-metrics": LOKI_PORT}, name="loki-headless", headless=True)
        self._stateful_set(sample, text, [account, *configs, self._permissions(account)])
        self._finish(service)

    def _permissions(self, account: core.ServiceAccount) -> pulumi.Resource:
        """The right to read rules."""
        if self._args.insecure:
            everything = rbac.rules((("core", "configmaps secrets", "get watch list"),))
            return self._grant(everything, account, "loki-clusterrole", "loki-clusterrolebinding")
        rules = rbac.rules((("core", "configmaps", "get watch list"),))
        return rbac.grant_in_namespace(self, "loki", rules, self._name, self._args.namespace, self.labels)

    def _stateful_set(self, sample: Sample, text: str, after: list[pulumi.Resource]) -> None:
        """The StatefulSet, whose one pod ends before the next one starts."""
        volumes = [
            core.VolumeArgs(name="tmp", empty_dir=core.EmptyDirVolumeSourceArgs()),
            config_volume("config", self._name),
            config_volume("runtime-config", "loki-runtime"),
            core.VolumeArgs(name="sc-rules-volume", empty_dir=core.EmptyDirVolumeSourceArgs()),
            self._storage("storage", self._args.settings.persistence),
        ]
        pod = self._pod([self._server(sample), self._rules(sample)], volumes, service_account_name=self._name)
        k8s.apps.v1.StatefulSet(
            self._name,
            metadata=kube.metadata(self._name, self._args.namespace, self.labels),
            spec=k8s.apps.v1.StatefulSetSpecArgs(
                replicas=1,
                service_name="loki-headless",
                pod_management_policy="Parallel",
                selector=meta.LabelSelectorArgs(match_labels=dict(sample.selector)),
                template=self._template(pod, {CHECKSUM: checksum(text)}),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _server(self, sample: Sample) -> core.ContainerArgs:
        settings = self._args.settings
        ports = {"http-metrics": LOKI_PORT, "grpc": LOKI_GRPC_PORT, "http-memberlist": MEMBERS}
        return self._container(
            "loki",
            settings.image or sample.image,
            image_pull_policy="IfNotPresent",
            args=["-config.file=/etc/loki/config/config.yaml", "-target=all"],
            ports=[core.ContainerPortArgs(name=port, container_port=number) for port, number in ports.items()],
            readiness_probe=probe("/ready", "http-metrics", initial_delay_seconds=15, period_seconds=10),
            resources=kube.resources(settings.resources),
            volume_mounts=[
                mount("tmp", "/tmp"),
                mount("config", "/etc/loki/config"),
                mount("runtime-config", "/etc/loki/runtime-config"),
                mount("storage", "/var/loki"),
                mount("sc-rules-volume", RULES),
            ],
        )

    def _rules(self, sample: Sample) -> core.ContainerArgs:
        """The container that copies rules from ConfigMaps."""
        found = "both" if self._args.insecure else "configmap"
        return self._container(
            "loki-sc-rules",
            self._args.settings.rulesImage or sample.rules_image,
            image_pull_policy="IfNotPresent",
            env=environment({**_WATCH, "RESOURCE": found}),
            resources=kube.resources(SIDECAR),
            volume_mounts=[mount("sc-rules-volume", RULES)],
        )
