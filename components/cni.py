"""Istio's CNI plugin: it runs on every node and replaces the privileged init container of every pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, rbac
from mesh.core import names
from mesh.releases.release import Installation
from mesh.releases.roles import PolicyRules

NAME: Final = "istio-cni"
NODE: Final = "istio-cni-node"
CONFIG: Final = "istio-cni-config"
CONFIG_KEY: Final = "cni_network_config"

core, meta = k8s.core.v1, k8s.meta.v1


@dataclass(frozen=True, kw_only=True)
class CniArgs:
    """Arguments of Cni."""

    mesh: Installation
    namespace: pulumi.Input[str]
    """Name of the namespace in which it runs, known when that exists."""


def install(mesh: Installation, namespaces: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions) -> None:
    """Installs the plugin if the values enable it. Its namespace may be `kube-system`, which no stack declares."""
    if mesh.values.cni.enabled:
        namespace = mesh.values.cni.namespace or mesh.root
        Cni("cni", CniArgs(mesh=mesh, namespace=namespaces.get(namespace, namespace)), opts)


class Cni(pulumi.ComponentResource):
    """The DaemonSet that installs the plugin and repairs pods that started before it; its account and config."""

    def __init__(self, name: str, args: CniArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Cni", name, None, opts)
        self._args, self._cni = args, args.mesh.values.cni
        self._labels = {"app": NAME, **args.mesh.labels}
        self._child = pulumi.ResourceOptions(parent=self)
        secrets = args.mesh.values.global_.imagePullSecrets
        account = kube.service_account(NAME, args.namespace, self._labels, secrets, self._child)
        config = core.ConfigMap(
            CONFIG,
            metadata=kube.metadata(CONFIG, args.namespace, self._labels),
            data={CONFIG_KEY: self._network()},
            opts=self._child,
        )
        self._daemons([account, config, *self._permissions()])
        self.register_outputs({})

    def _permissions(self) -> list[pulumi.Resource]:
        bindings: list[pulumi.Resource] = [self._grant(NAME, NAME, self._args.mesh.release.roles.cni, self._labels)]
        if self._cni.repair.enabled:
            labels = {"k8s-app": "istio-cni-repair", **self._args.mesh.labels}
            repair = self._args.mesh.release.roles.repair
            bindings.append(self._grant("istio-cni-repair-role", "istio-cni-repair-rolebinding", repair, labels))
        if self._cni.psp_cluster_role:
            name = "istio-cni-psp"
            binding = k8s.rbac.v1.RoleBinding(
                name,
                metadata=kube.metadata(name, self._args.namespace, self._args.mesh.labels),
                role_ref=rbac.role_ref("ClusterRole", self._cni.psp_cluster_role),
                subjects=rbac.subjects(NAME, self._args.namespace),
                opts=self._child,
            )
            bindings.append(binding)
        return bindings

    def _grant(self, role: str, binding: str, table: PolicyRules, labels: Mapping[str, str]) -> pulumi.Resource:
        """A ClusterRole and its binding to the plugin's account."""
        made = k8s.rbac.v1.ClusterRole(
            role, metadata=kube.metadata(role, labels=self._labels), rules=rbac.rules(table), opts=self._child
        )
        return k8s.rbac.v1.ClusterRoleBinding(
            binding,
            metadata=kube.metadata(binding, labels=labels),
            role_ref=rbac.role_ref("ClusterRole", role),
            subjects=rbac.subjects(NAME, self._args.namespace),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[made]),
        )

    def _network(self) -> str:
        """The plugin's part of a node's network configuration; the installer fills in the kubeconfig's path."""
        kubernetes = {
            "kubeconfig": "__KUBECONFIG_FILEPATH__",
            "cni_bin_dir": self._cni.cniBinDir,
            "exclude_namespaces": list(self._cni.excludeNamespaces),
        }
        plugin = {"cniVersion": "0.3.1", "name": NAME, "type": NAME, "log_level": self._cni.logLevel}
        return json.dumps({**plugin, "kubernetes": kubernetes}, indent=2)

    def _daemons(self, after: list[pulumi.Resource]) -> k8s.apps.v1.DaemonSet:
        app = {"k8s-app": NODE}
        annotations = {
            "scheduler.alpha.kubernetes.io/critical-pod": "",
            names.INJECT_LABEL: "false",
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "15014",
            "prometheus.io/path": "/metrics",
            **self._cni.podAnnotations,
        }
        rolling = k8s.apps.v1.RollingUpdateDaemonSetArgs(max_unavailable=1)
        return k8s.apps.v1.DaemonSet(
            NODE,
            metadata=kube.metadata(NODE, self._args.namespace, {**app, **self._args.mesh.labels}),
            spec=k8s.apps.v1.DaemonSetSpecArgs(
                selector=meta.LabelSelectorArgs(match_labels=app),
                update_strategy=k8s.apps.v1.DaemonSetUpdateStrategyArgs(type="RollingUpdate", rolling_update=rolling),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels={**app, names.INJECT_LABEL: "false"}, annotations=annotations),
                    spec=self._pod(),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _pod(self) -> core.PodSpecArgs:
        folders = {"cni-bin-dir": self._cni.cniBinDir, "cni-net-dir": self._cni.cniConfDir}
        return core.PodSpecArgs(
            node_selector={"kubernetes.io/os": "linux"},
            host_network=True,
            tolerations=[  # it runs on every node, as soon as the node is there
                core.TolerationArgs(effect="NoSchedule", operator="Exists"),
                core.TolerationArgs(key="CriticalAddonsOnly", operator="Exists"),
                core.TolerationArgs(effect="NoExecute", operator="Exists"),
            ],
            priority_class_name="system-node-critical",
            service_account_name=NAME,
            termination_grace_period_seconds=5,
            containers=[self._installer(), *([self._repairer()] if self._cni.repair.enabled else [])],
            volumes=[
                core.VolumeArgs(name=name, host_path=core.HostPathVolumeSourceArgs(path=path))
                for name, path in folders.items()
            ],
        )

    def _installer(self) -> core.ContainerArgs:
        def probe(path: str, delay: int | None = None) -> core.ProbeArgs:
            return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path=path, port=8000), initial_delay_seconds=delay)

        literal = {
            **({"CNI_CONF_NAME": self._cni.cniConfFileName} if self._cni.cniConfFileName else {}),
            "CNI_NET_DIR": self._cni.cniConfDir,
            "CHAINED_CNI_PLUGIN": str(self._cni.chained).lower(),
        }
        config = core.ConfigMapKeySelectorArgs(name=CONFIG, key=CONFIG_KEY)
        network = core.EnvVarArgs(
            name="CNI_NETWORK_CONFIG", value_from=core.EnvVarSourceArgs(config_map_key_ref=config)
        )
        mounts = {"cni-bin-dir": "/host/opt/cni/bin", "cni-net-dir": "/host/etc/cni/net.d"}
        return core.ContainerArgs(
            name="install-cni",
            image=self._image,
            image_pull_policy=self._pull_policy,
            command=["install-cni"],
            env=[*(core.EnvVarArgs(name=name, value=value) for name, value in literal.items()), network],
            liveness_probe=probe("/healthz", 5),
            readiness_probe=probe("/readyz"),
            resources=kube.resources(self._cni.resources),
            volume_mounts=[core.VolumeMountArgs(name=name, mount_path=path) for name, path in mounts.items()],
        )

    def _repairer(self) -> core.ContainerArgs:
        repair = self._cni.repair
        literal = {
            "LABEL-PODS": str(repair.labelPods).lower(),
            "DELETE-PODS": str(repair.deletePods).lower(),
            "RUN-AS-DAEMON": "true",
            "SIDECAR-ANNOTATION": "sidecar.istio.io/status",
            "INIT-CONTAINER-NAME": repair.initContainerName,
            "BROKEN-POD-LABEL-KEY": repair.brokenPodLabelKey,
            "BROKEN-POD-LABEL-VALUE": repair.brokenPodLabelValue,
        }
        node = core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="spec.nodeName"))
        return core.ContainerArgs(
            name="repair-cni",
            image=self._image,
            image_pull_policy=self._pull_policy,
            command=["/opt/local/bin/istio-cni-repair"],
            env=[
                core.EnvVarArgs(name="REPAIR_NODE-NAME", value_from=node),
                *(core.EnvVarArgs(name=f"REPAIR_{name}", value=value) for name, value in literal.items()),
            ],
            resources=kube.resources(self._cni.resources),
        )

    @property
    def _image(self) -> str:
        return self._args.mesh.values.image(self._cni.image)

    @property
    def _pull_policy(self) -> str | None:
        return self._cni.pullPolicy or self._args.mesh.values.global_.imagePullPolicy or None
