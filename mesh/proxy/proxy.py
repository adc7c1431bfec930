"""Parts of a pod that runs Istio's proxy, shared by sidecars, injected gateways and the gateways' own Deployments.

Names, ports and paths are those that `pilot-agent` and istiod expect. The folder of each release (`mesh/releases`)
puts the parts together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mesh.proxy.expr import Node, Value, coalesce, contains, equal, join, ternary, when

CONTAINER: Final = "istio-proxy"
USER: Final = 1337
"""User and group id of the proxy; traffic of this user is not redirected."""
METRICS_PORT: Final = 15090
"""Port of Envoy's Prometheus metrics."""
HEALTH_PORT: Final = 15021
"""Port of the proxy's readiness endpoint, /healthz/ready."""
DISCOVERY_PORT: Final = 15012
"""Port of istiod's discovery (xDS) and certificate signing over TLS."""
TOKEN_SECONDS: Final = 43200
"""Lifetime of the projected service account token: 12 hours."""
CORE_PATTERN: Final = "/var/lib/istio/data/core.proxy"
"""Path of Envoy's core dumps."""

THIRD_PARTY: Final = "third-party-jwt"
"""The kind of service account tokens with an audience and an expiration."""

Role = Literal["sidecar", "router", "waypoint"]


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume of the pod and its mount in the proxy's container."""

    name: Value
    source: dict[str, Node]
    """The volume source, e.g. `{"emptyDir": {}}`."""
    path: Value
    """The mount path."""
    readOnly: bool = False
    needed: Value = True
    """Whether the volume and its mount are present."""

    def volume(self) -> Node:
        return when(self.needed, {"name": self.name, **self.source})

    def mount(self) -> Node:
        mount: Node = {"name": self.name, "mountPath": self.path, "readOnly": True if self.readOnly else None}
        return when(self.needed, mount)


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The proxy's container, with Kubernetes' field names."""

    image: Value
    args: Sequence[Node]
    env: Sequence[Node]
    volumeMounts: Sequence[Node]
    ports: Sequence[Node] = ()
    imagePullPolicy: Node = None
    lifecycle: Node = None
    restartPolicy: str | None = None
    startupProbe: Node = None
    readinessProbe: Node = None
    resources: Node = None
    securityContext: Node = None

    def container(self) -> Node:
        metrics: Node = {"containerPort": METRICS_PORT, "protocol": "TCP", "name": "http-envoy-prom"}
        return {"name": CONTAINER, **vars(self), "ports": [*self.ports, metrics]}


def release_image(hub: Value, name: Value, tag: Value) -> Value:
    """The image reference of a release: `hub/name:tag`."""
    return join(hub, "/", name, ":", tag)


def image_reference(hub: Value, name: Value, tag: Value, chosen: Value) -> Value:
    """`chosen` if it is a full image reference (contains a slash), else the release's image `name`."""
    return ternary(contains("/", chosen), chosen, release_image(hub, name, tag))


def role_args(role: Role, domain: Value) -> list[Node]:
    """Arguments of the agent: its role and its DNS domain; `domain` is that of the cluster."""
    return ["proxy", role, "--domain", join("$(POD_NAMESPACE).svc.", domain)]


def log_args(proxy: Value, component: Value, agent: Value) -> list[Node]:
    """Log level arguments: of Envoy, of single Envoy components (`misc:error`), of the agent (`default:info`)."""
    return [
        join("--proxyLogLevel=", proxy),
        join("--proxyComponentLogLevel=", component),
        join("--log_output_level=", agent),
    ]


def sts_args(port: Node) -> Node:
    """The argument for the port of the security token service; absent if the port is 0."""
    return when(port, join("--stsPort=", port))


def json_args(enabled: Node) -> Node:
    """The argument that makes the agent log JSON; absent if not enabled."""
    return when(enabled, "--log_as_json")


def env_var(name: Value, value: Node) -> Node:
    """An environment variable."""
    return {"name": name, "value": value}


def env_from_field(name: str, path: str, version: str | None = None) -> Node:
    """An environment variable whose value is a field of the pod (downward API)."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": version, "fieldPath": path}}}


def env_from_limit(name: str, resource: str) -> Node:
    """An environment variable whose value is a limit of the container, in whole CPUs or bytes (downward API)."""
    limit: Node = {"resource": f"limits.{resource}", "divisor": "1"}
    return {"name": name, "valueFrom": {"resourceFieldRef": limit}}


def pod_env() -> list[Node]:
    """The pod's name, namespace, address, service account, and its node's address."""
    fields = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
        "HOST_IP": "status.hostIP",
    }
    return [env_from_field(name, path) for name, path in fields.items()]


def trust_env(
    jwt_policy: Value, cert_provider: Value, ca_address: Value, revision: Value, namespace: Value
) -> list[Node]:
    """How the proxy authenticates to the certificate authority, and its address: istiod of the revision by default."""
    return [env_var("JWT_POLICY", jwt_policy), *authority_env(cert_provider, ca_address, revision, namespace)]


def authority_env(cert_provider: Value, ca_address: Value, revision: Value, namespace: Value) -> list[Node]:
    """The certificate authority of the proxy, and its address: istiod of the revision by default."""
    istiod = join("istiod", ternary(revision, join("-", revision), ""), ".", namespace, f".svc:{DISCOVERY_PORT}")
    return [
        env_var("PILOT_CERT_PROVIDER", cert_provider),
        env_var("CA_ADDR", coalesce(ca_address, istiod)),
    ]


def canonical_env() -> list[Node]:
    """The canonical service and revision, from the pod's labels; telemetry reports the workload under them."""
    return [
        env_from_field(f"CANONICAL_{part}", f"metadata.labels['service.istio.io/canonical-{label}']")
        for part, label in (("SERVICE", "name"), ("REVISION", "revision"))
    ]


def owner_uri(api_version: Value, namespace: Value, kind: Value, name: Value) -> Value:
    """Istio's URI of a workload (`ISTIO_META_OWNER`); `kind` is in lower case and singular."""
    return join("kubernetes://apis/", api_version, "/namespaces/", namespace, "/", kind, "s/", name)


def mesh_env(mesh_id: Value, trust_domain: Value) -> list[Node]:
    """The mesh ID, which defaults to the trust domain, and the trust domain."""
    mesh = coalesce(mesh_id, trust_domain)
    return [
        when(mesh, env_var("ISTIO_META_MESH_ID", mesh)),
        when(trust_domain, env_var("TRUST_DOMAIN", trust_domain)),
    ]


def readiness_probe(delay: Value, period: Value, failures: Value, scheme: str | None = None, **more: Node) -> Node:
    """The readiness probe of the proxy; delay and period in seconds."""
    return {
        "httpGet": {"path": "/healthz/ready", "port": HEALTH_PORT, "scheme": scheme},
        "initialDelaySeconds": delay,
        "periodSeconds": period,
        "failureThreshold": failures,
        **more,
    }


DATA_VOLUME: Final = Volume(name="istio-data", source={"emptyDir": {}}, path="/var/lib/istio/data")


def envoy_volume(medium: str | None) -> Volume:
    """The volume of Envoy's configuration and its sockets; medium `Memory` keeps it off the disk."""
    source: Node = {"medium": medium} if medium else {}
    return Volume(name="istio-envoy", source={"emptyDir": source}, path="/etc/istio/proxy")


def ca_volume(cert_provider: Value) -> Volume:
    """The root certificate that istiod publishes in every namespace; present if istiod signs certificates."""
    return Volume(
        name="istiod-ca-cert",
        source={"configMap": {"name": "istio-ca-root-cert"}},
        path="/var/run/secrets/istio",
        needed=equal(cert_provider, "istiod"),
    )


def token_volume(jwt_policy: Value, audience: Value, readOnly: bool = False) -> Volume:
    """A service account token for istiod's audience; absent with `first-party-jwt`, which uses the pod's own token."""
    projection: Node = {"audience": audience, "expirationSeconds": TOKEN_SECONDS, "path": "istio-token"}
    return Volume(
        name="istio-token",
        source={"projected": {"sources": [{"serviceAccountToken": projection}]}},
        path="/var/run/secrets/tokens",
        readOnly=readOnly,
        needed=equal(jwt_policy, THIRD_PARTY),
    )


def certificate_volume(needed: Value, secret: Value, path: str) -> Volume:
    """Key and certificate from a Secret, for meshes in which istiod does not deliver them to the proxies."""
    source: Node = {"secretName": secret, "optional": True}
    return Volume(name="istio-certs", source={"secret": source}, path=path, readOnly=True, needed=needed)


def metadata_volume(name: str, *more: Node) -> Volume:
    """Labels and annotations of the pod as files (downward API), and what `more` items name."""
    fields: list[Node] = [
        {"path": part, "fieldRef": {"fieldPath": f"metadata.{part}"}} for part in ("labels", "annotations")
    ]
    return Volume(name=name, source={"downwardAPI": {"items": [*fields, *more]}}, path="/etc/istio/pod")


def pod_info_volume(name: str) -> Volume:
    """Labels, annotations, CPU request and CPU limit (in millicores) of the pod as files (downward API)."""
    cpu: list[Node] = [
        {
            "path": f"cpu-{bound}",
            "resourceFieldRef": {"containerName": CONTAINER, "resource": f"{bound}s.cpu", "divisor": "1m"},
        }
        for bound in ("limit", "request")
    ]
    return metadata_volume(name, *cpu)


def core_dump_container(image: Value, pull_policy: Node, **security: Node) -> Node:
    """A privileged init container that makes the kernel write core dumps to `CORE_PATTERN`."""
    return {
        "name": "enable-core-dump",
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": ["/bin/sh"],
        "args": ["-c", f"sysctl -w kernel.core_pattern={CORE_PATTERN} && ulimit -c unlimited"],
        "securityContext": {
            "privileged": True,
            "runAsUser": 0,
            "runAsGroup": 0,
            "runAsNonRoot": False,
            **security,
        },
    }
