"""The pods of a gateway of Istio 1.10 that has a Deployment of its own, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import MESH_CONFIG
from mesh.proxy import proxy
from mesh.proxy.expr import Node, each, when, wire
from mesh.proxy.proxy import Proxy, Volume, downward, variable
from mesh.releases.release import Installation
from mesh.values.gateway import Gateway

_CERTIFICATES: Final = "istiod"
"""Who signs the proxies' certificates."""
_AUDIENCE: Final = "istio-ca"
"""For whom the proxies' service account tokens are."""

_ARCHITECTURES: Final = ("amd64", "ppc64le", "s390x")


def _on(*architectures: str) -> dict[str, Any]:
    """Nodes of these architectures."""
    return {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": list(architectures)}]}


_BY_ARCHITECTURE: Final[Mapping[str, Any]] = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_on(*_ARCHITECTURES)]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 2, "preference": _on(name)} for name in _ARCHITECTURES
        ],
    }
}
"""Only where the image runs; all three architectures are equally welcome."""


def pod(mesh: Installation, name: str, spec: Gateway) -> dict[str, Any]:
    """What the proxy contributes to the pod spec of the gateway called `name`, in wire names.

    Keys: `containers`, `volumes`, `affinity`, and where asked for `initContainers` and `securityContext`.
    """
    chosen = mesh.values.global_
    image = mesh.values.image(chosen.proxy.image)
    pull_policy = chosen.imagePullPolicy or None
    volumes, unmounted = _volumes(mesh, name, spec)
    container = Proxy(
        image=image,
        imagePullPolicy=pull_policy,
        args=_args(mesh, name),
        env=_env(mesh, name, spec),
        ports=[{"containerPort": port.container, "protocol": port.protocol} for port in spec.ports],
        resources=spec.resources.model_dump(),
        readinessProbe=proxy.readiness(1, 2, 30, scheme="HTTP", timeoutSeconds=1, successThreshold=1),
        securityContext=None if spec.runAsRoot else _locked_down(),
        volumeMounts=[volume.mount() for volume in volumes],
    ).container()
    identity: Node = {
        "runAsUser": proxy.USER,
        "runAsGroup": proxy.USER,
        "fsGroup": proxy.USER,
        "runAsNonRoot": True,
    }
    made: dict[str, Any] = wire(
        {
            "initContainers": when(chosen.proxy.enableCoreDump, [proxy.core_dump(image, pull_policy)]),
            "containers": [container],
            "volumes": [volume.volume() for volume in (*volumes, *unmounted)],
            "securityContext": None if spec.runAsRoot else identity,
        }
    )
    return {**made, "affinity": {**_BY_ARCHITECTURE, **(spec.scheduling["affinity"] or {})}}


def _locked_down() -> Node:
    return {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _args(mesh: Installation, name: str) -> list[Node]:
    chosen = mesh.values.global_
    levels = proxy.log_args(chosen.proxy.logLevel, chosen.proxy.componentLogLevel, chosen.logging.level)
    return [
        *proxy.role_args("router", chosen.proxy.clusterDomain),
        *[level for level in levels if not str(level).endswith("=")],  # a level left empty is not passed
        proxy.json_args(chosen.logAsJson),
        "--serviceCluster",
        name,
        proxy.sts_args(chosen.sts.servicePort),
    ]


def _env(mesh: Installation, name: str, spec: Gateway) -> list[Node]:
    fields = {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "HOST_IP": "status.hostIP",
    }
    chosen, config, network = mesh.values.global_, mesh.values.meshConfig, mesh.values.global_.network
    annotations = json.dumps(spec.podAnnotations, separators=(",", ":"), sort_keys=True) + "\n"
    metadata = config.defaultConfig.proxyMetadata if config.defaultConfig else None
    own = {**spec.env, **(metadata or {})}
    return [
        *proxy.trust_env(chosen.jwtPolicy, _CERTIFICATES, chosen.caAddress, mesh.values.revision, mesh.root),
        *[downward(name, path, "v1") for name, path in fields.items()],
        downward("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        *proxy.canonical_env(),
        variable("ISTIO_META_WORKLOAD_NAME", name),
        variable("ISTIO_META_OWNER", proxy.owner("apps/v1", spec.namespace or mesh.root, "deployment", name)),
        *proxy.mesh_env(chosen.meshID, config.trustDomain or ""),
        when(not spec.runAsRoot, variable("ISTIO_META_UNPRIVILEGED_POD", "true")),
        each(own, variable),
        when(network and "ISTIO_META_NETWORK" not in own, variable("ISTIO_META_NETWORK", network)),
        when(spec.podAnnotations, variable("ISTIO_METAJSON_ANNOTATIONS", annotations)),
        variable("ISTIO_META_CLUSTER_ID", chosen.multiCluster.clusterName or "Kubernetes"),
    ]


def _volumes(mesh: Installation, name: str, spec: Gateway) -> tuple[list[Volume], list[Volume]]:
    """Volumes that the proxy mounts, and those that are only in the pod."""
    chosen, documents = mesh.values.global_, mesh.named(MESH_CONFIG)
    configs = [_config_map(volume.name, volume.configMapName, volume.mountPath) for volume in spec.configVolumes]
    mounted = [
        proxy.envoy(medium=None),
        _config_map("config-volume", documents, "/etc/istio/config", readOnly=False),
        proxy.istiod_ca(_CERTIFICATES),
        proxy.token(chosen.jwtPolicy, _AUDIENCE, readOnly=True),
        proxy.certificates(chosen.mountMtlsCerts, f"istio.{spec.service_account(name)}", "/etc/certs"),
        proxy.DATA,
        proxy.pod_info("podinfo"),
        *[_secret(volume.name, volume.secretName, volume.mountPath) for volume in spec.secretVolumes],
        *[volume for volume in configs if volume.path],
    ]
    return mounted, [volume for volume in configs if not volume.path]


def _secret(name: str, secret: str, path: str) -> Volume:
    """Files of a Secret that need not be there."""
    return Volume(name=name, source={"secret": {"secretName": secret, "optional": True}}, path=path, readOnly=True)


def _config_map(name: str, config_map: str, path: str, readOnly: bool = True) -> Volume:
    """Files of a ConfigMap that need not be there."""
    return Volume(name=name, source={"configMap": {"name": config_map, "optional": True}}, path=path, readOnly=readOnly)
