"""The pod of a gateway that has a Deployment of its own, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mesh.proxy import proxy
from mesh.proxy.expr import Node, each, when, wire
from mesh.proxy.proxy import Proxy, Volume, downward, variable
from mesh.releases.release import ISTIO

Resources = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class FileVolume:
    """Files of an optional Secret or ConfigMap in the gateway's container."""

    name: str
    source: str
    """Name of the Secret or ConfigMap, in the gateway's namespace."""
    path: str
    """Where to mount it; empty (ConfigMap only): it is not mounted."""


@dataclass(frozen=True, kw_only=True)
class ProxyArgs:
    """One gateway's proxy. Defaults are those of Istio's own charts; names follow their values."""

    name: str
    """The gateway's name, which is also that of its Deployment."""
    namespace: str = "istio-system"
    hub: str = ISTIO.hub
    tag: str = ISTIO.version
    image: str = "proxyv2"
    """An image of the hub; with a slash: a full reference, and hub and tag are not used."""
    imagePullPolicy: str = ""
    ports: tuple[int | tuple[int, str], ...] = ()
    """Container ports, TCP unless (port, protocol); Envoy's metrics port is always added."""
    resources: Resources = field(default_factory=lambda: {"requests": {"cpu": "10m"}})
    logLevel: str = "warning"
    componentLogLevel: str = "misc:error"
    agentLogLevel: str = "default:info"
    logAsJson: bool = False
    stsPort: int = 0
    """Port of the security token service; 0: none."""
    clusterDomain: str = "cluster.local"
    jwtPolicy: Literal["third-party-jwt", "first-party-jwt"] = "third-party-jwt"
    pilotCertProvider: str = "istiod"
    caAddress: str = ""
    """Address of the certificate authority; empty: istiod of the revision."""
    istioNamespace: str = "istio-system"
    revision: str = ""
    meshID: str = ""
    trustDomain: str = "cluster.local"
    clusterName: str = "Kubernetes"
    network: str = ""
    tokenAudience: str = "istio-ca"
    runAsRoot: bool = False
    mountMtlsCerts: bool = False
    enableCoreDump: bool = False
    env: Mapping[str, str] = field(default_factory=lambda: {"ISTIO_META_ROUTER_MODE": "standard"})
    proxyMetadata: Mapping[str, str] = field(default_factory=dict)
    """The mesh configuration's `defaultConfig.proxyMetadata`."""
    podAnnotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations that the user gave the pods; the proxy reports them to istiod."""
    secretVolumes: tuple[FileVolume, ...] = ()
    configVolumes: tuple[FileVolume, ...] = ()
    additionalContainers: tuple[Mapping[str, Any], ...] = ()


def certificate_volumes(name: str) -> tuple[FileVolume, ...]:
    """The two Secrets that Istio's default gateways read certificates from; name as in `ingressgateway`."""
    return tuple(
        FileVolume(name=f"{name}-{kind}", source=f"istio-{name}-{kind}", path=f"/etc/istio/{name}-{kind}")
        for kind in ("certs", "ca-certs")
    )


def gateway_pod(args: ProxyArgs) -> dict[str, Any]:
    """What the proxy contributes to the gateway's pod spec, in wire names.

    Keys: `containers`, `volumes`, and where asked for `initContainers` and `securityContext`.
    """
    image = proxy.image(args.hub, args.image, args.tag, args.image)
    pull_policy = args.imagePullPolicy or None
    volumes, unmounted = _volumes(args)
    container = Proxy(
        image=image,
        imagePullPolicy=pull_policy,
        args=_args(args),
        env=_env(args),
        ports=[_port(port) for port in args.ports],
        resources=dict(args.resources),
        readinessProbe=proxy.readiness(1, 2, 30, scheme="HTTP", timeoutSeconds=1, successThreshold=1),
        securityContext=None if args.runAsRoot else _locked_down(),
        volumeMounts=[volume.mount() for volume in volumes],
    ).container()
    identity: Node = {
        "runAsUser": proxy.USER,
        "runAsGroup": proxy.USER,
        "fsGroup": proxy.USER,
        "runAsNonRoot": True,
    }
    pod: dict[str, Any] = wire(
        {
            "initContainers": when(args.enableCoreDump, [proxy.core_dump(image, pull_policy)]),
            "containers": [container, *args.additionalContainers],
            "volumes": [volume.volume() for volume in (*volumes, *unmounted)],
            "securityContext": None if args.runAsRoot else identity,
        }
    )
    return pod


def _port(port: int | tuple[int, str]) -> Node:
    number, protocol = port if isinstance(port, tuple) else (port, "TCP")
    return {"containerPort": number, "protocol": protocol}


def _locked_down() -> Node:
    return {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _args(args: ProxyArgs) -> list[Node]:
    levels = proxy.log_args(args.logLevel, args.componentLogLevel, args.agentLogLevel)
    return [
        *proxy.role_args("router", args.clusterDomain),
        *[level for level in levels if not str(level).endswith("=")],  # a level left empty is not passed
        proxy.json_args(args.logAsJson),
        "--serviceCluster",
        args.name,
        proxy.sts_args(args.stsPort),
    ]


def _env(args: ProxyArgs) -> list[Node]:
    fields = {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "HOST_IP": "status.hostIP",
    }
    annotations = json.dumps(args.podAnnotations, separators=(",", ":"), sort_keys=True) + "\n"
    own = {**args.env, **args.proxyMetadata}
    return [
        *proxy.trust_env(args.jwtPolicy, args.pilotCertProvider, args.caAddress, args.revision, args.istioNamespace),
        *[downward(name, path, "v1") for name, path in fields.items()],
        downward("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        *proxy.canonical_env(),
        variable("ISTIO_META_WORKLOAD_NAME", args.name),
        variable("ISTIO_META_OWNER", proxy.owner("apps/v1", args.namespace, "deployment", args.name)),
        *proxy.mesh_env(args.meshID, args.trustDomain),
        when(not args.runAsRoot, variable("ISTIO_META_UNPRIVILEGED_POD", "true")),
        each(own, variable),
        when(args.network and "ISTIO_META_NETWORK" not in own, variable("ISTIO_META_NETWORK", args.network)),
        when(args.podAnnotations, variable("ISTIO_METAJSON_ANNOTATIONS", annotations)),
        variable("ISTIO_META_CLUSTER_ID", args.clusterName or "Kubernetes"),
    ]


def _volumes(args: ProxyArgs) -> tuple[list[Volume], list[Volume]]:
    """Volumes that the proxy mounts, and those that are only in the pod."""
    mesh = FileVolume(
        name="config-volume",
        source=f"istio-{args.revision}" if args.revision else "istio",
        path="/etc/istio/config",
    )
    config = [_config_volume(volume) for volume in args.configVolumes]
    mounted = [
        proxy.envoy(medium=None),
        _config_volume(mesh, readOnly=False),
        proxy.istiod_ca(args.pilotCertProvider),
        proxy.token(args.jwtPolicy, args.tokenAudience, readOnly=True),
        proxy.certificates(args.mountMtlsCerts, f"istio.{args.name}-service-account", "/etc/certs"),
        proxy.DATA,
        proxy.pod_info("podinfo"),
        *[_secret_volume(volume) for volume in args.secretVolumes],
        *[volume for volume in config if volume.path],
    ]
    return mounted, [volume for volume in config if not volume.path]


def _secret_volume(files: FileVolume) -> Volume:
    source: Node = {"secretName": files.source, "optional": True}
    return Volume(name=files.name, source={"secret": source}, path=files.path, readOnly=True)


def _config_volume(files: FileVolume, readOnly: bool = True) -> Volume:
    source: Node = {"name": files.source, "optional": True}
    return Volume(name=files.name, source={"configMap": source}, path=files.path, readOnly=readOnly)
