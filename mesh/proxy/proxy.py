"""The parts of a pod that runs Istio's proxy: what sidecars, injected gateways and the gateways' own Deployments share.

Names, ports and paths are those that `pilot-agent` and istiod expect. How a release puts the parts together stands in
the release's folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mesh.proxy.expr import Node, Value, choose, contains, equal, first_of, join, when

CONTAINER: Final = "istio-proxy"
USER: Final = 1337
"""User and group id of the proxy, whose own traffic is not redirected to it."""
METRICS_PORT: Final = 15090
"""Envoy's own metrics, for Prometheus."""
HEALTH_PORT: Final = 15021
"""Readiness of the proxy, at /healthz/ready."""
DISCOVERY_PORT: Final = 15012
"""istiod's discovery and certificates over TLS."""
TOKEN_SECONDS: Final = 43200
"""Lifetime of the projected service account token: 12 hours."""
CORE_PATTERN: Final = "/var/lib/istio/data/core.proxy"

Role = Literal["sidecar", "router"]


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume, and where the proxy finds it."""

    name: Value
    source: dict[str, Node]
    """The volume's source by its kind, e.g. `{"emptyDir": {}}`."""
    path: Value
    readOnly: bool = False
    needed: Value = True

    def volume(self) -> Node:
        return when(self.needed, {"name": self.name, **self.source})

    def mount(self) -> Node:
        mount: Node = {"name": self.name, "mountPath": self.path, "readOnly": True if self.readOnly else None}
        return when(self.needed, mount)


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The proxy's container, in Kubernetes' wire names."""

    image: Value
    args: Sequence[Node]
    env: Sequence[Node]
    volumeMounts: Sequence[Node]
    ports: Sequence[Node] = ()
    imagePullPolicy: Node = None
    lifecycle: Node = None
    readinessProbe: Node = None
    resources: Node = None
    securityContext: Node = None

    def container(self) -> Node:
        metrics: Node = {"containerPort": METRICS_PORT, "protocol": "TCP", "name": "http-envoy-prom"}
        return {"name": CONTAINER, **vars(self), "ports": [*self.ports, metrics]}


def released(hub: Value, name: Value, tag: Value) -> Value:
    """An image of the release by its name."""
    return join(hub, "/", name, ":", tag)


def image(hub: Value, name: Value, tag: Value, chosen: Value) -> Value:
    """The image chosen, if that is a full reference (has a slash); else the release's image of that name."""
    return choose(contains("/", chosen), chosen, released(hub, name, tag))


def role_args(role: Role, domain: Value) -> list[Node]:
    """What the agent is started as, and the DNS domain of the cluster's services."""
    return ["proxy", role, "--domain", join("$(POD_NAMESPACE).svc.", domain)]


def log_args(proxy: Value, component: Value, agent: Value) -> list[Node]:
    """Log levels: of Envoy, of single Envoy components (`misc:error`), of the agent (`default:info`)."""
    return [
        join("--proxyLogLevel=", proxy),
        join("--proxyComponentLogLevel=", component),
        join("--log_output_level=", agent),
    ]


def sts_args(port: Node) -> Node:
    """The port of the security token service; 0: none."""
    return when(port, join("--stsPort=", port))


def json_args(enabled: Node) -> Node:
    """Whether the agent logs JSON."""
    return when(enabled, "--log_as_json")


def variable(name: Value, value: Node) -> Node:
    """An environment variable."""
    return {"name": name, "value": value}


def downward(name: str, path: str, version: str | None = None) -> Node:
    """An environment variable with a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": version, "fieldPath": path}}}


def trust_env(
    jwt_policy: Value, cert_provider: Value, ca_address: Value, revision: Value, namespace: Value
) -> list[Node]:
    """How the proxy proves itself, and who signs its certificate: istiod of its revision unless told otherwise."""
    istiod = join("istiod", choose(revision, join("-", revision), ""), ".", namespace, f".svc:{DISCOVERY_PORT}")
    return [
        variable("JWT_POLICY", jwt_policy),
        variable("PILOT_CERT_PROVIDER", cert_provider),
        variable("CA_ADDR", first_of(ca_address, istiod)),
    ]


def canonical_env() -> list[Node]:
    """The service and revision under which telemetry counts the workload."""
    return [
        downward(f"CANONICAL_{part}", f"metadata.labels['service.istio.io/canonical-{label}']")
        for part, label in (("SERVICE", "name"), ("REVISION", "revision"))
    ]


def owner(api_version: Value, namespace: Value, kind: Value, name: Value) -> Value:
    """Istio's URI of a workload; the kind in lower case and singular."""
    return join("kubernetes://apis/", api_version, "/namespaces/", namespace, "/", kind, "s/", name)


def mesh_env(mesh_id: Value, trust_domain: Value) -> list[Node]:
    """Which mesh the proxy belongs to; its id is the trust domain unless it has one."""
    mesh = first_of(mesh_id, trust_domain)
    return [
        when(mesh, variable("ISTIO_META_MESH_ID", mesh)),
        when(trust_domain, variable("TRUST_DOMAIN", trust_domain)),
    ]


def readiness(delay: Value, period: Value, failures: Value, scheme: str | None = None, **more: Node) -> Node:
    """A probe of the proxy's readiness; delay and period in seconds."""
    return {
        "httpGet": {"path": "/healthz/ready", "port": HEALTH_PORT, "scheme": scheme},
        "initialDelaySeconds": delay,
        "periodSeconds": period,
        "failureThreshold": failures,
        **more,
    }


DATA: Final = Volume(name="istio-data", source={"emptyDir": {}}, path="/var/lib/istio/data")


def envoy(medium: str | None) -> Volume:
    """Envoy's configuration and its socket to the agent; medium `Memory` keeps it off the disk."""
    source: Node = {"medium": medium} if medium else {}
    return Volume(name="istio-envoy", source={"emptyDir": source}, path="/etc/istio/proxy")


def istiod_ca(cert_provider: Value) -> Volume:
    """The root certificate that istiod puts into every namespace, where istiod is who signs."""
    return Volume(
        name="istiod-ca-cert",
        source={"configMap": {"name": "istio-ca-root-cert"}},
        path="/var/run/secrets/istio",
        needed=equal(cert_provider, "istiod"),
    )


def token(jwt_policy: Value, audience: Value, readOnly: bool = False) -> Volume:
    """A service account token that only istiod accepts; not needed where the pod's ordinary token serves."""
    projection: Node = {"audience": audience, "expirationSeconds": TOKEN_SECONDS, "path": "istio-token"}
    return Volume(
        name="istio-token",
        source={"projected": {"sources": [{"serviceAccountToken": projection}]}},
        path="/var/run/secrets/tokens",
        readOnly=readOnly,
        needed=equal(jwt_policy, "third-party-jwt"),
    )


def certificates(needed: Value, secret: Value, path: str) -> Volume:
    """Key and certificate from a Secret, for meshes whose proxies do not get them from istiod."""
    source: Node = {"secretName": secret, "optional": True}
    return Volume(name="istio-certs", source={"secret": source}, path=path, readOnly=True, needed=needed)


def pod_info(name: str) -> Volume:
    """Labels, annotations and CPU (in thousandths) of the pod as files."""
    fields: list[Node] = [
        {"path": part, "fieldRef": {"fieldPath": f"metadata.{part}"}} for part in ("labels", "annotations")
    ]
    cpu: list[Node] = [
        {
            "path": f"cpu-{bound}",
            "resourceFieldRef": {"containerName": CONTAINER, "resource": f"{bound}s.cpu", "divisor": "1m"},
        }
        for bound in ("limit", "request")
    ]
    return Volume(name=name, source={"downwardAPI": {"items": [*fields, *cpu]}}, path="/etc/istio/pod")


def core_dump(image: Value, pull_policy: Node, **security: Node) -> Node:
    """An init container that makes the kernel write Envoy's core dumps where the proxy may write."""
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
