"""TLS of DestinationRules, mutual TLS, AuthorizationPolicies, and clients of istiod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mesh.analysis.mesh import selector_labels
from mesh.analysis.mtls import DISABLE, PERMISSIVE
from mesh.analysis.objects import Object
from mesh.core import kinds
from mesh.upgrade.changes import Place
from mesh.upgrade.rules.registry import policies
from mesh.upgrade.subject import Hit, Subject

_TLS: Final = ("SIMPLE", "MUTUAL")
"""Modes of TLS with certificates that are not the mesh's."""
_NAMED: Final = ", and the certificate must be for the name in the Host header"
_BLOCKED: Final = "BLOCKED_CIDRS_IN_JWKS_URIS"
_TEMPLATES: Final = ("{*}", "{**}")
_KIALI: Final = ("app", "app.kubernetes.io/name")
"""Labels that have the value `kiali` on Kiali's pods."""


def server_certificates(subject: Subject) -> Iterator[Hit]:
    """TLS to servers whose certificates are not verified."""
    for place, tls in _tls(subject):
        if not tls.get("caCertificates"):
            yield Hit(place, {"names": "" if tls.get("sni") or tls.get("subjectAltNames") else _NAMED})


def server_names(subject: Subject) -> Iterator[Hit]:
    """TLS to servers whose certificates are verified, but for any name."""
    for place, tls in _tls(subject):
        if tls.get("caCertificates") and not (tls.get("sni") or tls.get("subjectAltNames")):
            yield Hit(place)


def _tls(subject: Subject) -> Iterator[tuple[Place, Any]]:
    """The TLS settings with certificates in files, or without certificates, each with its place. Settings with a Secret
    have the CA certificates there."""
    for rule in subject.mesh.of(kinds.DESTINATION_RULE):
        for path, policy in policies(rule):
            tls = policy.get("tls") or {}
            if tls.get("mode") in _TLS and not (tls.get("credentialName") or tls.get("insecureSkipVerify")):
                yield Place.of(rule, f"{path}.tls"), tls


def workload_mtls(subject: Subject) -> Iterator[Hit]:
    """The policies for single workloads that differ from their namespace in whether callers use mutual TLS."""
    found = subject.mesh.of(kinds.PEER_AUTHENTICATION)
    wide = {policy.namespace: _mode(policy) for policy in found if not selector_labels(policy)}
    for policy in found:
        if selector_labels(policy):
            around = wide.get(policy.namespace) or wide.get(subject.mesh.root) or PERMISSIVE
            ports = [one.get("mode") for one in (policy.spec.get("portLevelMtls") or {}).values()]
            modes = {mode for mode in (_mode(policy), *ports) if mode and mode != "UNSET"}
            if any((mode == DISABLE) != (around == DISABLE) for mode in modes):
                yield Hit(Place.of(policy))


def _mode(policy: Object) -> str:
    mode = (policy.spec.get("mtls") or {}).get("mode") or ""
    return "" if mode == "UNSET" else str(mode)


def key_addresses(subject: Subject) -> Iterator[Hit]:
    """The rules for tokens whose keys istiod fetches."""
    if subject.after.values.pilot.env.get(_BLOCKED):
        return
    for policy in subject.mesh.of(kinds.REQUEST_AUTHENTICATION):
        for number, rule in enumerate(policy.spec.get("jwtRules") or ()):
            if not rule.get("jwks"):
                yield Hit(Place.of(policy, f"jwtRules[{number}]"))


def host_case(subject: Subject) -> Iterator[Hit]:
    """The policies that name hosts."""
    for place, _ in _operations(subject, "hosts", "notHosts"):
        yield Hit(place)


def path_templates(subject: Subject) -> Iterator[Hit]:
    """The paths of policies with the syntax of templates."""
    for place, path in _operations(subject, "paths", "notPaths"):
        if any(template in path for template in _TEMPLATES):
            yield Hit(place, {"path": path})


def _operations(subject: Subject, *fields: str) -> Iterator[tuple[Place, str]]:
    """The values of fields of the operations of AuthorizationPolicies."""
    for policy in subject.mesh.of(kinds.AUTHORIZATION_POLICY):
        for i, rule in enumerate(policy.items("rules")):
            for j, part in enumerate(rule.get("to") or ()):
                for field in fields:
                    for value in (part.get("operation") or {}).get(field) or ():
                        yield Place.of(policy, f"rules[{i}].to[{j}].operation.{field}"), value


def debug_endpoints(subject: Subject) -> Iterator[Hit]:
    """Kiali in another namespace than istiod, unless its namespace is allowed to use the debug endpoints."""
    allowed = subject.after.values.pilot.env.get("DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES", "").split(",")
    for one in subject.mesh.workloads.all:
        if one.namespace not in (subject.mesh.home, *allowed) and any(one.labels.get(key) == "kiali" for key in _KIALI):
            yield Hit(Place.of(one.object), {"namespace": one.namespace})


RULES: Final = {
    "server-certificates": server_certificates,
    "server-names": server_names,
    "workload-mtls": workload_mtls,
    "key-addresses": key_addresses,
    "host-case": host_case,
    "path-templates": path_templates,
    "debug-endpoints": debug_endpoints,
}
