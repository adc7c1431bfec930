"""Istio 1.30's CNI plugin: the pods that install it on each node, and its configuration."""

from __future__ import annotations

from typing import Any, Final

import yaml

from mesh.core.names import CNI, CNI_CONFIG, CNI_NODE, INJECT_LABEL
from mesh.proxy.expr import Node, when, wire
from mesh.proxy.proxy import env_from_field, env_var
from mesh.releases.common.overlays import with_settings
from mesh.releases.common.pods import MONITORING, flag, scraped
from mesh.releases.release import Installation, PodTemplate
from mesh.releases.v1_30.names import NO_AMBIENT, limit_env
from mesh.values.proxy import Logging

_INSTALLER: Final = "install-cni"
"""Name of the container."""
_SOCKET: Final = "cni-ztunnel-sock-dir"
_HEALTH: Final = 8000
"""Port of the plugin's readiness probe."""
_CAPABILITIES: Final = ("NET_ADMIN", "NET_RAW", "SYS_PTRACE", "SYS_ADMIN", "DAC_OVERRIDE")
"""What root may do in the container: enter and change the networks of pods, and write into folders of other users."""


def config(mesh: Installation) -> dict[str, dict[str, str]]:
    """The environment variables of the plugin, which its ConfigMap holds."""
    cni = mesh.values.cni
    ambient, repair = cni.ambient, cni.repair
    selectors = [selector.model_dump(exclude_none=True, mode="json") for selector in ambient.enablementSelectors]
    variables = {
        "CURRENT_AGENT_VERSION": cni.tag or mesh.values.tag,
        "AMBIENT_ENABLED": flag(ambient.enabled),
        "AMBIENT_ENABLEMENT_SELECTOR": yaml.safe_dump(selectors).strip(),
        "AMBIENT_DNS_CAPTURE": flag(ambient.dnsCapture),
        "AMBIENT_IPV6": flag(ambient.ipv6),
        "AMBIENT_RECONCILE_POD_RULES_ON_STARTUP": flag(ambient.reconcileIptablesOnStartup),
        "ENABLE_AMBIENT_DETECTION_RETRY": flag(ambient.enableAmbientDetectionRetry),
        **({"CNI_CONF_NAME": cni.cniConfFileName} if cni.cniConfFileName else {}),
        "ISTIO_OWNED_CNI_CONFIG": flag(cni.istioOwnedCNIConfig),
        **({"ISTIO_OWNED_CNI_CONF_FILENAME": cni.istioOwnedCNIConfigFileName} if cni.istioOwnedCNIConfig else {}),
        "CHAINED_CNI_PLUGIN": flag(cni.chained),
        "EXCLUDE_NAMESPACES": ",".join(cni.excludeNamespaces),
        "REPAIR_ENABLED": flag(repair.enabled),
        "REPAIR_LABEL_PODS": flag(repair.labelPods),
        "REPAIR_DELETE_PODS": flag(repair.deletePods),
        "REPAIR_REPAIR_PODS": flag(repair.repairPods),
        "REPAIR_INIT_CONTAINER_NAME": repair.initContainerName,
        "REPAIR_BROKEN_POD_LABEL_KEY": repair.brokenPodLabelKey,
        "REPAIR_BROKEN_POD_LABEL_VALUE": repair.brokenPodLabelValue,
        "NATIVE_NFTABLES": flag(mesh.values.global_.nativeNftables),
        **cni.env,
    }
    return {CNI_CONFIG: variables}


def pod(mesh: Installation) -> PodTemplate:
    """The template of the plugin's pods. They run on every node, as soon as the node is there."""
    cni = mesh.values.cni
    shared = _shares_network(mesh)
    unconfined = {"container.apparmor.security.beta.kubernetes.io/install-cni": "unconfined"}
    spec: dict[str, Any] = wire(
        {
            "hostNetwork": True if shared else None,
            "dnsPolicy": "ClusterFirstWithHostNet" if shared else None,
            "nodeSelector": {"kubernetes.io/os": "linux", **cni.nodeSelector},
            "affinity": cni.affinity.model_dump(exclude_none=True) if cni.affinity else None,
            "tolerations": [toleration.model_dump(exclude_none=True) for toleration in cni.tolerations],
            "priorityClassName": "system-node-critical",
            "serviceAccountName": CNI,
            "terminationGracePeriodSeconds": cni.terminationGracePeriodSeconds,
            "containers": [_container(mesh)],
            "volumes": [volume for volume, _ in _volumes(mesh)],
        }
    )
    annotations = {
        INJECT_LABEL: "false",
        **scraped(MONITORING, "/metrics"),
        **(unconfined if cni.useAppArmorAnnotation else {}),
        **cni.podAnnotations,
    }
    labels = {"k8s-app": CNI_NODE, INJECT_LABEL: "false", **NO_AMBIENT, **cni.podLabels}
    template: PodTemplate = {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}
    return with_settings(template, cni, _INSTALLER)


def _shares_network(mesh: Installation) -> bool:
    ambient = mesh.values.cni.ambient
    return ambient.enabled and ambient.shareHostNetworkNamespace


def _container(mesh: Installation) -> Node:
    cni, chosen = mesh.values.cni, mesh.values.global_
    shared = chosen.logging.level if chosen.logging != Logging() else "info"
    level = cni.logging.level or shared
    return {
        "name": _INSTALLER,
        "image": mesh.values.image(cni.image, cni.variant, cni),
        "imagePullPolicy": cni.pullPolicy or chosen.imagePullPolicy or None,
        "ports": [{"name": "metrics", "containerPort": MONITORING, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": _HEALTH}},
        "securityContext": _security(mesh),
        "command": ["install-cni"],
        "args": [when(level, f"--log_output_level={level}"), when(chosen.logAsJson, "--log_as_json")],
        "envFrom": [{"configMapRef": {"name": CNI_CONFIG}}],
        "env": _env(mesh),
        "volumeMounts": [mount for _, mount in sorted(_volumes(mesh), key=_is_socket) if mount],
        "resources": cni.resources.amounts or {"requests": {"cpu": "100m", "memory": "100Mi"}},
    }


def _security(mesh: Installation) -> Node:
    cni = mesh.values.cni
    return {
        "appArmorProfile": None if cni.useAppArmorAnnotation else {"type": "Unconfined"},
        "privileged": False,
        "runAsGroup": 0,
        "runAsUser": 0,
        "runAsNonRoot": False,
        "capabilities": {"drop": ["ALL"], "add": list(_CAPABILITIES)},
        "seLinuxOptions": {"type": "spc_t", **cni.seLinuxOptions} if cni.seLinuxOptions else None,
        "seccompProfile": cni.seccompProfile or None,
    }


def _env(mesh: Installation) -> list[Node]:
    return [
        env_from_field("REPAIR_NODE_NAME", "spec.nodeName"),
        env_var("REPAIR_RUN_AS_DAEMON", "true"),
        env_var("REPAIR_SIDECAR_ANNOTATION", "sidecar.istio.io/status"),
        when(not _shares_network(mesh), env_var("ALLOW_SWITCH_TO_HOST_NS", "true")),
        env_from_field("NODE_NAME", "spec.nodeName", "v1"),
        limit_env("GOMEMLIMIT", "memory"),
        limit_env("GOMAXPROCS", "cpu"),
        env_from_field("POD_NAME", "metadata.name"),
        env_from_field("POD_NAMESPACE", "metadata.namespace"),
        *[env_var(name, value) for name, value in mesh.values.cni.env.items()],
    ]


def _is_socket(folder: tuple[Node, Node]) -> bool:
    """Whether it is the folder of ztunnel's socket, which is the last one of Istio's mounts, but not of its volumes."""
    return bool(wire(folder[0])["name"] == _SOCKET)


def _volumes(mesh: Installation) -> list[tuple[Node, Node]]:
    """The folders of the node, each as a volume and its mount; None if it is not mounted."""
    cni = mesh.values.cni
    ambient = cni.ambient.enabled

    def folder(name: str, path: str, mount: str, kind: str | None = None, **more: Node) -> tuple[Node, Node]:
        volume: Node = {"name": name, "hostPath": {"path": path, "type": kind}}
        return volume, {"name": name, "mountPath": mount, **more}

    networks, mount = folder(
        "cni-netns-dir",
        cni.cniNetnsDir,
        "/host/var/run/netns",
        "DirectoryOrCreate",
        mountPropagation="HostToContainer",
    )
    processes = folder("cni-host-procfs", "/proc", "/host/proc", "Directory", readOnly=True)
    socket = folder(_SOCKET, "/var/run/ztunnel", "/var/run/ztunnel", "DirectoryOrCreate")
    return [
        folder("cni-bin-dir", cni.cniBinDir, "/host/opt/cni/bin"),
        *([processes] if cni.repair.repairPods or ambient else []),
        *([socket] if ambient else []),
        folder("cni-net-dir", cni.cniConfDir, "/host/etc/cni/net.d"),
        folder("cni-socket-dir", "/var/run/istio-cni", "/var/run/istio-cni"),
        (networks, mount if ambient else None),
    ]
