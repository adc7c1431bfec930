"""Parts of the pods of istiod and the gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.core.names import EXTRA_CERTIFICATES
from mesh.proxy.expr import Node, when
from mesh.proxy.proxy import TOKEN_SECONDS, Volume, env_from_field
from mesh.releases.release import Installation

DISCOVERY: Final = "discovery"
"""Name of istiod's container."""
_EXTRA: Final = "extracacerts"
MONITORING = 15014
"""Port of istiod's own metrics."""
ISTIOD_HTTP = 8080
"""Port of istiod's debug interface and its readiness probe."""


def flag(value: bool) -> str:
    """A boolean as the value of an environment variable."""
    return str(value).lower()


def istiod_args(mesh: Installation, *more: Node) -> list[Node]:
    """istiod's arguments; `more` are those between the DNS domain and the age of connections."""
    chosen = mesh.values.global_
    return [
        "discovery",
        f"--monitoringAddr=:{MONITORING}",
        when(chosen.logging.level, f"--log_output_level={chosen.logging.level}"),
        when(chosen.logAsJson, "--log_as_json"),
        *("--domain", chosen.proxy.clusterDomain),
        *more,
        *("--keepaliveMaxServerConnectionAge", mesh.values.pilot.keepaliveMaxServerConnectionAge),
    ]


def istiod_readiness() -> Node:
    """The readiness probe of istiod."""
    return {
        "httpGet": {"path": "/ready", "port": ISTIOD_HTTP},
        "initialDelaySeconds": 1,
        "periodSeconds": 3,
        "timeoutSeconds": 5,
    }


def istiod_env_of_pod() -> list[Node]:
    """The environment variables of istiod that tell it which pod it is."""
    of_pod = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
    }
    return [env_from_field(name, path, "v1") for name, path in of_pod.items()]


def istiod_mounts(bound_token: bool) -> list[Node]:
    """The volume mounts of istiod. `bound_token`: it uses a service account token that is bound to an audience."""
    token: Node = {"name": "istio-token", "mountPath": "/var/run/secrets/tokens", "readOnly": True}
    return [
        when(bound_token, token),
        {"name": "local-certs", "mountPath": "/var/run/secrets/istio-dns"},
        {"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": True},
        {"name": "istio-kubeconfig", "mountPath": "/var/run/secrets/remote", "readOnly": True},
    ]


def istiod_volumes(mesh: Installation, bound_token: bool) -> list[Node]:
    """The volumes of the same mounts."""
    audience = mesh.values.global_.sds.token.aud
    token: Node = {"audience": audience, "expirationSeconds": TOKEN_SECONDS, "path": "istio-token"}
    bound: Node = {"name": "istio-token", "projected": {"sources": [{"serviceAccountToken": token}]}}
    return [
        {"name": "local-certs", "emptyDir": {"medium": "Memory"}},
        when(bound_token, bound),
        *[{"name": name, "secret": {"secretName": name, "optional": True}} for name in ("cacerts", "istio-kubeconfig")],
    ]


def extra_certificates_mount(mesh: Installation) -> Node:
    """The mount of the further certificates that istiod trusts where it fetches keys of token issuers."""
    return when(mesh.values.pilot.jwksResolverExtraRootCA, {"name": _EXTRA, "mountPath": "/cacerts"})


def extra_certificates_volume(mesh: Installation) -> Node:
    """The volume of the same mount."""
    volume: Node = {"name": _EXTRA, "configMap": {"name": mesh.revisioned(EXTRA_CERTIFICATES)}}
    return when(mesh.values.pilot.jwksResolverExtraRootCA, volume)


def locked_down() -> dict[str, Any]:
    """The security context of a container that is not root."""
    return {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def secret_volume(name: str, secret: str, path: str) -> Volume:
    """A volume with the files of an optional Secret."""
    return Volume(name=name, source={"secret": {"secretName": secret, "optional": True}}, path=path, readOnly=True)


def config_volume(name: str, config_map: str, path: str, readOnly: bool = True) -> Volume:
    """A volume with the files of an optional ConfigMap."""
    return Volume(name=name, source={"configMap": {"name": config_map, "optional": True}}, path=path, readOnly=readOnly)


def scraped(port: int, path: str = "") -> Mapping[str, str]:
    """Annotations by which Prometheus finds a pod's metrics."""
    found = {"prometheus.io/port": str(port), "prometheus.io/scrape": "true"}
    return {**found, "prometheus.io/path": path} if path else found
