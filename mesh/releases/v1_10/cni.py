"""Istio 1.10's CNI plugin: the pods that install it on each node, and its configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mesh.core import documents
from mesh.core.names import CNI, CNI_CONFIG, CNI_NODE, CNI_TAINTS, INJECT_LABEL
from mesh.proxy.expr import Node, when, wire
from mesh.proxy.proxy import env_from_field, env_var
from mesh.releases.common.overlays import with_settings
from mesh.releases.release import Installation, PodTemplate

_INSTALLER: Final = "install-cni"
"""Name of the container that installs the plugin."""
_CONFIG_KEY: Final = "cni_network_config"
_HEALTH: Final = 8000
"""Port of the installer's probes."""


def config(mesh: Installation) -> dict[str, dict[str, str]]:
    """The plugin's configuration, and that of the controller that removes taints."""
    taints = {CNI_TAINTS: _watched(mesh)} if mesh.values.cni.taint.enabled else {}
    return {CNI_CONFIG: _network(mesh), **taints}


def _network(mesh: Installation) -> dict[str, str]:
    """The plugin's part of a node's network configuration; the installer fills in the kubeconfig's path."""
    cni = mesh.values.cni
    kubernetes = {
        "kubeconfig": "__KUBECONFIG_FILEPATH__",
        "cni_bin_dir": cni.cniBinDir,
        "exclude_namespaces": list(cni.excludeNamespaces),
    }
    plugin = {"cniVersion": "0.3.1", "name": CNI, "type": CNI, "log_level": cni.logLevel}
    return {_CONFIG_KEY: json.dumps({**plugin, "kubernetes": kubernetes}, indent=2)}


def _watched(mesh: Installation) -> dict[str, str]:
    """What the controller waits for before it removes the taint of a node: the plugin's own pod there."""
    pods = {"name": CNI, "selector": f"k8s-app={CNI_NODE}", "namespace": mesh.values.cni.namespace or mesh.root}
    return {"config": documents.dump([pods])}


def pod(mesh: Installation) -> PodTemplate:
    """The template of the plugin's pods. They run on every node, as soon as the node is there."""
    cni = mesh.values.cni
    folders = {"cni-bin-dir": cni.cniBinDir, "cni-net-dir": cni.cniConfDir}
    annotations = {
        "scheduler.alpha.kubernetes.io/critical-pod": "",
        INJECT_LABEL: "false",
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "15014",
        "prometheus.io/path": "/metrics",
        **cni.podAnnotations,
    }
    spec: dict[str, Any] = wire(
        {
            "nodeSelector": {"kubernetes.io/os": "linux", **cni.nodeSelector},
            "hostNetwork": True,
            "affinity": cni.affinity.model_dump(exclude_none=True) if cni.affinity else None,
            "tolerations": [toleration.model_dump(exclude_none=True) for toleration in cni.tolerations],
            "priorityClassName": "system-node-critical",
            "serviceAccountName": CNI,
            "terminationGracePeriodSeconds": 5,
            "containers": [
                _installer(mesh),
                when(cni.repair.enabled, _repairer(mesh)),
                when(cni.taint.enabled, _taint_remover(mesh)),
            ],
            "volumes": [{"name": name, "hostPath": {"path": path}} for name, path in folders.items()],
        }
    )
    template: PodTemplate = {
        "metadata": {"labels": {"k8s-app": CNI_NODE, INJECT_LABEL: "false"}, "annotations": annotations},
        "spec": spec,
    }
    return with_settings(template, cni, _INSTALLER)


def _container(mesh: Installation, name: str, command: str, env: list[Node]) -> Mapping[str, Node]:
    cni = mesh.values.cni
    return {
        "name": name,
        "image": mesh.values.image(cni.image, own=cni),
        "imagePullPolicy": cni.pullPolicy or mesh.values.global_.imagePullPolicy or None,
        "command": [command],
        "env": env,
        "resources": cni.resources.amounts,
    }


def _installer(mesh: Installation) -> Node:
    cni = mesh.values.cni
    literal = {
        **({"CNI_CONF_NAME": cni.cniConfFileName} if cni.cniConfFileName else {}),
        "CNI_NET_DIR": cni.cniConfDir,
        "CHAINED_CNI_PLUGIN": str(cni.chained).lower(),
    }
    network: Node = {
        "name": "CNI_NETWORK_CONFIG",
        "valueFrom": {"configMapKeyRef": {"name": CNI_CONFIG, "key": _CONFIG_KEY}},
    }
    mounts = {"cni-bin-dir": "/host/opt/cni/bin", "cni-net-dir": "/host/etc/cni/net.d"}
    env = [
        *(env_var(name, value) for name, value in literal.items()),
        network,
        *(env_var(name, value) for name, value in cni.env.items()),
    ]
    return {
        **_container(mesh, _INSTALLER, "install-cni", env),
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": _HEALTH}, "initialDelaySeconds": 5},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": _HEALTH}},
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }


def _repairer(mesh: Installation) -> Node:
    repair = mesh.values.cni.repair
    literal = {
        "LABEL-PODS": str(repair.labelPods).lower(),
        "DELETE-PODS": str(repair.deletePods).lower(),
        "RUN-AS-DAEMON": "true",
        "SIDECAR-ANNOTATION": "sidecar.istio.io/status",
        "INIT-CONTAINER-NAME": repair.initContainerName,
        "BROKEN-POD-LABEL-KEY": repair.brokenPodLabelKey,
        "BROKEN-POD-LABEL-VALUE": repair.brokenPodLabelValue,
    }
    env = [
        env_from_field("REPAIR_NODE-NAME", "spec.nodeName"),
        *(env_var(f"REPAIR_{name}", value) for name, value in literal.items()),
    ]
    return _container(mesh, "repair-cni", "/opt/local/bin/istio-cni-repair", env)


def _taint_remover(mesh: Installation) -> Node:
    literal = {
        "RUN-AS-DAEMON": "true",
        "CONFIGMAP-NAME": CNI_TAINTS,
        "CONFIGMAP-NAMESPACE": mesh.values.cni.namespace or mesh.root,
    }
    env: list[Node] = [env_var(f"TAINT_{name}", value) for name, value in literal.items()]
    return _container(mesh, "taint-controller", "/opt/local/bin/istio-cni-taint", env)
