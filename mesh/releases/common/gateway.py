"""Parts of the pods of a gateway that has a Deployment of its own (not injected)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.core.merge import merged
from mesh.core.names import DEFAULT_CLUSTER, MESH_CONFIG
from mesh.proxy import proxy
from mesh.proxy.expr import Node, each, when
from mesh.proxy.proxy import Volume, env_from_field, env_var
from mesh.releases.common.pods import config_volume, secret_volume
from mesh.releases.release import Installation
from mesh.values.gateway import Gateway

_ARCHITECTURE: Final = "kubernetes.io/arch"
"""The label of nodes with their CPU architecture."""


def canonical_labels(mesh: Installation, name: str) -> dict[str, str]:
    """The labels under which telemetry reports the gateway `name`."""
    return {
        "service.istio.io/canonical-name": name,
        "service.istio.io/canonical-revision": mesh.values.revision or "latest",
    }


def args(mesh: Installation, *more: Node) -> list[Node]:
    """The agent's arguments; an empty log level is not passed. `more` are those before the port of the token
    service."""
    chosen = mesh.values.global_
    levels = proxy.log_args(chosen.proxy.logLevel, chosen.proxy.componentLogLevel, chosen.logging.level)
    return [
        *proxy.role_args("router", chosen.proxy.clusterDomain),
        *[level for level in levels if not str(level).endswith("=")],
        proxy.json_args(chosen.logAsJson),
        *more,
        proxy.sts_args(chosen.sts.servicePort),
    ]


def resources(mesh: Installation, spec: Gateway) -> dict[str, dict[str, str]]:
    """The resource requests and limits of the proxy's container."""
    return spec.resources.amounts or mesh.values.global_.defaultResources.amounts


def scheduling_of_mesh(mesh: Installation, spec: Gateway, weights: Mapping[str, int]) -> dict[str, Any]:
    """Where the pods run, as fields of their spec: as the values of the whole mesh say, and those of the gateway over
    these. `weights` are those of CPU architectures, if the former have none."""
    chosen = mesh.values.global_
    labels = {} if spec.nodeSelector else chosen.defaultNodeSelector
    nodes = {**weights, **{str(name): weight for name, weight in chosen.arch.items()}}
    tolerations = [one.model_dump(exclude_none=True) for one in chosen.defaultTolerations]
    defaults = {"tolerations": tolerations} if tolerations else {}
    return {**defaults, **scheduling(spec, _node_affinity(nodes, labels))}


def _node_affinity(weights: Mapping[str, int], labels: Mapping[str, str]) -> dict[str, Any]:
    """The affinity to nodes with one of the architectures, each preferred by its weight, and with all the labels."""
    preferred = {name: weight for name, weight in sorted(weights.items()) if weight}
    required = [_node_label(_ARCHITECTURE, *preferred)] if preferred else []
    required += [_node_label(key, value) for key, value in sorted(labels.items())]
    if not required:
        return {}
    terms = [
        {"weight": weight, "preference": {"matchExpressions": [_node_label(_ARCHITECTURE, name)]}}
        for name, weight in preferred.items()
    ]
    affinity: dict[str, Any] = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": required}]},
        "preferredDuringSchedulingIgnoredDuringExecution": terms,
    }
    return {"nodeAffinity": {name: value for name, value in affinity.items() if value}}


def _node_label(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}


def ports(spec: Gateway) -> list[Node]:
    """The ports of the proxy's container."""
    return [{"containerPort": port.container, "protocol": port.protocol} for port in spec.ports]


def readiness() -> Node:
    """The readiness probe of the proxy."""
    return proxy.readiness_probe(1, 2, 30, scheme="HTTP", timeoutSeconds=1, successThreshold=1)


def scheduling(spec: Gateway, usual: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Where the pods run, as fields of their spec: `usual` is an affinity over which that of the values is merged."""
    found = spec.scheduling
    affinity = merged(merged(usual or {}, spec.anti_affinity), found.get("affinity", {}))
    return {**found, **({"affinity": affinity} if affinity else {})}


def env_of_pod() -> list[Node]:
    """The environment variables that tell the agent which pod it is."""
    fields = {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "HOST_IP": "status.hostIP",
    }
    return [
        *[env_from_field(name, path, "v1") for name, path in fields.items()],
        env_from_field("SERVICE_ACCOUNT", "spec.serviceAccountName"),
    ]


def env_of_mesh(mesh: Installation, name: str, spec: Gateway) -> list[Node]:
    """The environment variables that say which gateway it is, and of which mesh."""
    chosen, config = mesh.values.global_, mesh.values.meshConfig
    return [
        env_var("ISTIO_META_WORKLOAD_NAME", name),
        env_var("ISTIO_META_OWNER", proxy.owner_uri("apps/v1", spec.namespace or mesh.root, "deployment", name)),
        *proxy.mesh_env(chosen.meshID, config.trustDomain or ""),
        when(not spec.runAsRoot, env_var("ISTIO_META_UNPRIVILEGED_POD", "true")),
    ]


def own_env(mesh: Installation, spec: Gateway) -> list[Node]:
    """The environment variables of the values: the gateway's own, those of all proxies, and the network."""
    config, network = mesh.values.meshConfig, mesh.values.global_.network
    metadata = config.defaultConfig.proxyMetadata if config.defaultConfig else None
    own = {**spec.env, **(metadata or {})}
    return [
        each(own, env_var),
        when(network and "ISTIO_META_NETWORK" not in own, env_var("ISTIO_META_NETWORK", network)),
    ]


def cluster_env(mesh: Installation) -> Node:
    """The environment variable with the name of the cluster."""
    return env_var("ISTIO_META_CLUSTER_ID", mesh.values.global_.multiCluster.clusterName or DEFAULT_CLUSTER)


def mesh_config_volume(mesh: Installation) -> Volume:
    """The volume with the mesh configuration."""
    return config_volume("config-volume", mesh.revisioned(MESH_CONFIG), "/etc/istio/config", readOnly=False)


def certificate_volume(mesh: Installation, name: str, spec: Gateway) -> Volume:
    """The volume with the gateway's certificates where istiod does not deliver them."""
    secret = f"istio.{spec.service_account(name)}"
    return proxy.certificate_volume(mesh.values.global_.mountMtlsCerts, secret, "/etc/certs")


def own_volumes(spec: Gateway) -> tuple[list[Volume], list[Volume]]:
    """The volumes of the gateway's values: those that the proxy mounts, and those that are in the pod only."""
    configs = [config_volume(volume.name, volume.configMapName, volume.mountPath) for volume in spec.configVolumes]
    secrets = [secret_volume(volume.name, volume.secretName, volume.mountPath) for volume in spec.secretVolumes]
    return [*secrets, *[volume for volume in configs if volume.path]], [volume for volume in configs if not volume.path]
