"""Certificates of HTTPS gateways. Pilot sends Secrets only to proxies that have certificates themselves. Therefore the
Secrets that Gateways name are written to files, and EnvoyFilters add these files to the gateways' listeners."""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.live.folder import Folder
from sandbox.live.plan import Gateway, Plan
from sandbox.live.registry import gateway_of, is_for, target
from sandbox.live.snapshot import Manifest, Snapshot

SOCKET: Final = "live"
"""Name of the transport socket. It differs from pilot's, so that the EnvoyFilter replaces pilot's socket instead of
merging with it. Envoy itself only reads the type."""
CONTEXT: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
KEYS: Final = (("tls.crt", "tls.key"), ("cert", "key"))
"""Keys of the certificate chain and the private key in a Secret: of type `kubernetes.io/tls`, and of other types."""


@dataclass(frozen=True)
class Certificate:
    """A certificate chain and its private key, in PEM format."""

    name: str
    chain: bytes
    key: bytes

    def files(self, folder: Folder) -> tuple[Path, Path]:
        """The paths of the chain and the key. They depend on the content, so that proxies notice a renewed certificate
        by its new paths."""
        digest = hashlib.sha256(self.chain + self.key).hexdigest()[:12]
        return folder.certificates / f"{self.name}-{digest}.crt", folder.certificates / f"{self.name}-{digest}.key"


def files(seen: Snapshot, plan: Plan, folder: Folder) -> dict[Path, bytes]:
    """The content of every certificate file that the proxies need, by path."""
    return {
        file: content
        for _, _, certificate in _served(seen, plan)
        for file, content in zip(certificate.files(folder), (certificate.chain, certificate.key), strict=True)
    }


def filters(seen: Snapshot, plan: Plan, folder: Folder) -> Iterator[dict[str, Any]]:
    """An EnvoyFilter for each gateway that serves HTTPS."""
    for gateway in plan.gateways:
        served = [(server, certificate) for at, server, certificate in _served(seen, plan) if at == gateway]
        patches = [patch for each in served for patch in _patches(seen, plan, gateway, folder, *each)]
        if patches:
            yield {
                "apiVersion": "networking.istio.io/v1alpha3",
                "kind": "EnvoyFilter",
                "metadata": {"name": f"live-{gateway.name}-certificates", "namespace": gateway.namespace},
                "spec": {"workloadSelector": {"labels": dict(gateway.labels)}, "configPatches": patches},
            }


def is_served(server: Manifest, gateway: Manifest, seen: Snapshot, plan: Plan) -> bool:
    """Whether a Gateway's server needs no Secret, or its Secret has a valid certificate."""
    if "credentialName" not in (server.get("tls") or {}):
        return True
    return any(_certificate(server, at, seen) for at in plan.gateways if is_for(gateway, at))


def _served(seen: Snapshot, plan: Plan) -> Iterator[tuple[Gateway, Manifest, Certificate]]:
    for gateway in seen.istio["Gateway"]:
        for at in plan.gateways:
            for server in gateway["spec"].get("servers", []) if is_for(gateway, at) else []:
                if certificate := _certificate(server, at, seen):
                    yield at, server, certificate


def _certificate(server: Manifest, at: Gateway, seen: Snapshot) -> Certificate | None:
    """The certificate of a Gateway's server; None if its Secret has none, or its TLS mode is not SIMPLE, since client
    certificates are not checked."""
    tls: Mapping[str, str] = server.get("tls") or {}
    name = tls.get("credentialName", "")
    data = seen.secrets.get((at.namespace, name), {})
    for chain, key in KEYS:
        if tls.get("mode") == "SIMPLE" and data.get(chain) and data.get(key):
            try:
                return Certificate(name, _decoded(data[chain]), _decoded(data[key]))
            except binascii.Error:
                return None
    return None


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _patches(
    seen: Snapshot, plan: Plan, gateway: Gateway, folder: Folder, server: Manifest, certificate: Certificate
) -> Iterator[dict[str, Any]]:
    """A patch for each host, since Envoy selects a filter chain by the server name (SNI) of the client."""
    chain, key = certificate.files(folder)
    pair = {"certificate_chain": {"filename": str(chain)}, "private_key": {"filename": str(key)}}
    common = {"tls_certificates": [pair], "alpn_protocols": ["h2", "http/1.1"]}
    context = {"@type": CONTEXT, "common_tls_context": common}
    for host in server.get("hosts", []):
        name = host.rpartition("/")[2]
        listener: dict[str, Any] = {"portNumber": _port(seen, plan, gateway, server["port"]["number"])}
        if name != "*":
            listener["filterChain"] = {"sni": name}
        yield {
            "applyTo": "FILTER_CHAIN",
            "match": {"context": "GATEWAY", "listener": listener},
            "patch": {"operation": "MERGE", "value": {"transport_socket": {"name": SOCKET, "typed_config": context}}},
        }


def _port(seen: Snapshot, plan: Plan, gateway: Gateway, number: int) -> int:
    """The target port of a port of the gateway's Service."""
    ports = [p for service in seen.services if gateway_of(service, plan) == gateway for p in service["spec"]["ports"]]
    return next((target(port) for port in ports if port["port"] == number), number)
