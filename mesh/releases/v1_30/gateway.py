"""The pods of an Istio 1.30 gateway that has a Deployment of its own (not injected)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import INJECT_LABEL, MESH_CONFIG
from mesh.proxy import proxy
from mesh.proxy.expr import Node, each, when, wire
from mesh.proxy.proxy import Proxy, Volume, env_from_field, env_var
from mesh.releases.release import Installation, PodTemplate
from mesh.values.gateway import Gateway

_CERTIFICATES: Final = "istiod"
"""The provider of the proxies' certificates."""
_AUDIENCE: Final = "istio-ca"
"""The audience of the proxies' service account tokens."""

_ARCHITECTURES: Final = ("amd64", "ppc64le", "s390x")


def _on(*architectures: str) -> dict[str, Any]:
    """A node selector term for nodes with one of these architectures."""
    return {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": list(architectures)}]}


_BY_ARCHITECTURE: Final[Mapping[str, Any]] = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_on(*_ARCHITECTURES)]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 2, "preference": _on(name)} for name in _ARCHITECTURES
        ],
    }
}
"""Node affinity of upstream's charts: one of the three architectures is required, all are preferred equally."""


def pod(mesh: Installation, name: str, spec: Gateway) -> PodTemplate:
    """The template of the pods of the gateway `name`."""
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
        readinessProbe=proxy.readiness_probe(1, 2, 30, scheme="HTTP", timeoutSeconds=1, successThreshold=1),
        securityContext=None if spec.runAsRoot else _locked_down(),
        volumeMounts=[volume.mount() for volume in volumes],
    ).container()
    identity: Node = {
        "runAsUser": proxy.USER,
        "runAsGroup": proxy.USER,
        "fsGroup": proxy.USER,
        "runAsNonRoot": True,
    }
    spec_fields: dict[str, Any] = wire(
        {
            "serviceAccountName": spec.service_account(name),
            "priorityClassName": chosen.priorityClassName or None,
            "initContainers": when(chosen.proxy.enableCoreDump, [proxy.core_dump_container(image, pull_policy)]),
            "containers": [container],
            "volumes": [volume.volume() for volume in (*volumes, *unmounted)],
            "securityContext": None if spec.runAsRoot else identity,
        }
    )
    scheduling = spec.scheduling
    affinity = {**_BY_ARCHITECTURE, **scheduling.get("affinity", {})}
    return {
        "metadata": {"labels": _labels(mesh, name, spec), "annotations": _annotations(mesh, spec)},
        "spec": {**spec_fields, **scheduling, "affinity": affinity},
    }


def _labels(mesh: Installation, name: str, spec: Gateway) -> dict[str, str]:
    canonical = {
        "service.istio.io/canonical-name": name,
        "service.istio.io/canonical-revision": mesh.values.revision or "latest",
    }
    return {**spec.selector(name), **mesh.labels, **canonical, INJECT_LABEL: "false"}


def _annotations(mesh: Installation, spec: Gateway) -> dict[str, str]:
    scraped = {
        "prometheus.io/port": "15020",
        "prometheus.io/scrape": "true",
        "prometheus.io/path": "/stats/prometheus",
    }
    merge = mesh.values.meshConfig.enablePrometheusMerge
    return {**(scraped if merge else {}), INJECT_LABEL: "false", **spec.podAnnotations}


def _locked_down() -> Node:
    """The security context of a proxy that is not root."""
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
        *[level for level in levels if not str(level).endswith("=")],  # an empty level is not passed
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
        *[env_from_field(name, path, "v1") for name, path in fields.items()],
        env_from_field("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        *proxy.canonical_env(),
        env_var("ISTIO_META_WORKLOAD_NAME", name),
        env_var("ISTIO_META_OWNER", proxy.owner_uri("apps/v1", spec.namespace or mesh.root, "deployment", name)),
        *proxy.mesh_env(chosen.meshID, config.trustDomain or ""),
        when(not spec.runAsRoot, env_var("ISTIO_META_UNPRIVILEGED_POD", "true")),
        each(own, env_var),
        when(network and "ISTIO_META_NETWORK" not in own, env_var("ISTIO_META_NETWORK", network)),
        when(spec.podAnnotations, env_var("ISTIO_METAJSON_ANNOTATIONS", annotations)),
        env_var("ISTIO_META_CLUSTER_ID", chosen.multiCluster.clusterName or "Kubernetes"),
    ]


def _volumes(mesh: Installation, name: str, spec: Gateway) -> tuple[list[Volume], list[Volume]]:
    """The volumes that the proxy mounts, and those that are in the pod only."""
    chosen, documents = mesh.values.global_, mesh.revisioned(MESH_CONFIG)
    configs = [_config_map(volume.name, volume.configMapName, volume.mountPath) for volume in spec.configVolumes]
    mounted = [
        proxy.envoy_volume(medium=None),
        _config_map("config-volume", documents, "/etc/istio/config", readOnly=False),
        proxy.ca_volume(_CERTIFICATES),
        proxy.token_volume(chosen.jwtPolicy, _AUDIENCE, readOnly=True),
        proxy.certificate_volume(chosen.mountMtlsCerts, f"istio.{spec.service_account(name)}", "/etc/certs"),
        proxy.DATA_VOLUME,
        proxy.pod_info_volume("podinfo"),
        *[_secret(volume.name, volume.secretName, volume.mountPath) for volume in spec.secretVolumes],
        *[volume for volume in configs if volume.path],
    ]
    return mounted, [volume for volume in configs if not volume.path]


def _secret(name: str, secret: str, path: str) -> Volume:
    """A volume with the files of an optional Secret."""
    return Volume(name=name, source={"secret": {"secretName": secret, "optional": True}}, path=path, readOnly=True)


def _config_map(name: str, config_map: str, path: str, readOnly: bool = True) -> Volume:
    """A volume with the files of an optional ConfigMap."""
    return Volume(name=name, source={"configMap": {"name": config_map, "optional": True}}, path=path, readOnly=readOnly)
