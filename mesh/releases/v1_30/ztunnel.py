"""Istio 1.30's ztunnel, the node proxy of ambient mode: its pods."""

from __future__ import annotations

from typing import Any, Final

from mesh.core.names import DEFAULT_CLUSTER, INJECT_LABEL
from mesh.proxy.expr import Node, wire
from mesh.proxy.proxy import CONTAINER, TOKEN_SECONDS, USER, Volume, env_from_field, env_var
from mesh.releases.common.overlays import with_settings
from mesh.releases.release import Installation, PodTemplate
from mesh.releases.v1_30.names import NO_AMBIENT, limit_env

_STATS: Final = 15020
"""Port of ztunnel's metrics."""
_CAPABILITIES: Final = ("NET_ADMIN", "SYS_ADMIN", "NET_RAW")
"""What root may do in the container: open sockets in the networks of pods."""


def pod(mesh: Installation) -> PodTemplate:
    """The template of ztunnel's pods. They run on every node."""
    chosen = mesh.values.ztunnel
    volumes = _volumes(mesh)
    root, token, *others = volumes  # as they are mounted; among the pod's volumes, Istio's token is the first
    spec: dict[str, Any] = wire(
        {
            "nodeSelector": {"kubernetes.io/os": "linux", **chosen.nodeSelector},
            "affinity": chosen.affinity.model_dump(exclude_none=True) if chosen.affinity else None,
            "tolerations": [toleration.model_dump(exclude_none=True) for toleration in chosen.tolerations],
            "serviceAccountName": chosen.name,
            "dnsPolicy": chosen.dnsPolicy or None,
            "dnsConfig": chosen.dnsConfig or None,
            "containers": [_container(mesh, volumes)],
            "priorityClassName": "system-node-critical",
            "terminationGracePeriodSeconds": chosen.terminationGracePeriodSeconds,
            "volumes": [*[volume.volume() for volume in (token, root, *others)], *chosen.volumes],
        }
    )
    revision = mesh.labels if mesh.values.revision else {}
    template: PodTemplate = {
        "metadata": {
            "labels": {INJECT_LABEL: "false", **NO_AMBIENT, "app": "ztunnel", **chosen.podLabels},
            "annotations": {INJECT_LABEL: "false", **revision, **chosen.podAnnotations},
        },
        "spec": spec,
    }
    return with_settings(template, chosen, CONTAINER)


def _container(mesh: Installation, volumes: list[Volume]) -> Node:
    chosen = mesh.values.ztunnel
    return {
        "name": CONTAINER,
        "image": mesh.values.image(chosen.image, chosen.variant, chosen),
        "imagePullPolicy": chosen.imagePullPolicy or mesh.values.global_.imagePullPolicy or None,
        "args": ["proxy", "ztunnel"],
        "ports": [{"name": "ztunnel-stats", "containerPort": _STATS, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}},
        "resources": chosen.resources.amounts,
        "securityContext": {
            "allowPrivilegeEscalation": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"], "add": list(_CAPABILITIES)},
            "readOnlyRootFilesystem": True,
            "runAsGroup": USER,
            "runAsNonRoot": False,
            "runAsUser": 0,
            "seLinuxOptions": chosen.seLinuxOptions or None,
        },
        "env": _env(mesh),
        "volumeMounts": [*[volume.mount() for volume in volumes], *chosen.volumeMounts],
    }


def _env(mesh: Installation) -> list[Node]:
    chosen, everyone = mesh.values.ztunnel, mesh.values.global_
    network = chosen.network or everyone.network
    fields = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "NODE_NAME": "spec.nodeName",
        "INSTANCE_IP": "status.podIP",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
    }
    literal = {
        "CA_ADDRESS": chosen.caAddress or everyone.caAddress or mesh.discovery_address,
        "XDS_ADDRESS": chosen.xdsAddress or mesh.discovery_address,
        **({"LOG_FORMAT": "json"} if everyone.logAsJson else {}),
        **({"NETWORK": network} if network else {}),
        "RUST_LOG": chosen.logLevel,
        "RUST_BACKTRACE": "1",
        "ISTIO_META_CLUSTER_ID": everyone.multiCluster.clusterName or DEFAULT_CLUSTER,
        "INPOD_ENABLED": "true",
        "TERMINATION_GRACE_PERIOD_SECONDS": str(chosen.terminationGracePeriodSeconds),
    }
    revoked = {"CRL_PATH": "/var/run/secrets/istio/crl/ca-crl.pem"} if chosen.peerCaCrl.enabled else {}
    own, metadata = {**chosen.env, **revoked}, chosen.proxyMetadata
    return [  # in Istio's own order: another order would replace the pods of an adopted ztunnel
        *[env_var(name, value) for name, value in literal.items() if name not in {**metadata, **own}],
        *[env_from_field(name, path) for name, path in fields.items()],
        *[env_var(name, value) for name, value in metadata.items() if name not in own],
        limit_env("ZTUNNEL_CPU_LIMIT", "cpu"),
        *[env_var(name, value) for name, value in own.items()],
    ]


def _volumes(mesh: Installation) -> list[Volume]:
    chosen, certificate = mesh.values.ztunnel, mesh.values.global_.trustBundleName
    bundle: Node = {"name": f"istio.io:istiod-ca:{certificate or 'root-cert'}", "path": "root-cert.pem"}
    root: dict[str, Node] = {"configMap": {"name": certificate or "istio-ca-root-cert"}}
    if chosen.env.get("ENABLE_CLUSTER_TRUST_BUNDLE_API") == "true":
        root = {"projected": {"sources": [{"clusterTrustBundle": bundle}]}}
    token: Node = {"path": "istio-token", "expirationSeconds": TOKEN_SECONDS, "audience": "istio-ca"}
    sockets, secrets = "/var/run/ztunnel", "/var/run/secrets"
    return [
        Volume(name="istiod-ca-cert", source=root, path=f"{secrets}/istio"),
        Volume(
            name="istio-token",
            source={"projected": {"sources": [{"serviceAccountToken": token}]}},
            path=f"{secrets}/tokens",
        ),
        Volume(
            name="cni-ztunnel-sock-dir",
            source={"hostPath": {"path": sockets, "type": "DirectoryOrCreate"}},
            path=sockets,
        ),
        Volume(name="tmp", source={"emptyDir": {}}, path="/tmp"),
        Volume(
            name="crl-volume",
            source={"configMap": {"name": "istio-ca-crl", "optional": True}},
            path=f"{secrets}/istio/crl",
            readOnly=True,
            needed=chosen.peerCaCrl.enabled,
        ),
    ]
