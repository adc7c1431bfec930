"""Checks security policies: they select workloads, and the namespaces and principals that they name exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.analysis import authorization_policies, codes
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh, selector_labels, targets
from mesh.analysis.objects import Object, Ref
from mesh.api.names import covers
from mesh.core import errors, kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import WAYPOINT_LABEL

_OF_HOSTS: Final = {kind.name: kind for kind in (kinds.SERVICE, kinds.SERVICE_ENTRY)}
_OF_API: Final = GroupKind("Gateway", "gateway.networking.k8s.io")
_KINDS: Final = (kinds.AUTHORIZATION_POLICY, kinds.REQUEST_AUTHENTICATION, kinds.PEER_AUTHENTICATION)


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each policy selects at least one workload with a proxy, which enforces it, or has targets that are served."""
    for kind in _KINDS:
        for policy in mesh.of(kind):
            if targets(policy):
                yield from _unserved(mesh, policy)
                continue
            labels = selector_labels(policy)
            wide = policy.namespace == mesh.root
            if wide and "selector" not in policy.spec:
                continue
            pods = mesh.selected_by(policy)
            if not any(pod.proxy for pod in pods):
                which = ",".join(f"{key}={value}" for key, value in labels.items())
                where = "" if wide else f" in namespace {policy.namespace}"
                why = "has a sidecar" if pods or not which else f"has the labels {which}"
                path = "selector" if which else ""
                yield codes.NO_WORKLOADS.at(policy, path, f"no pod{where} {why}: the policy does nothing")


def _unserved(mesh: Mesh, policy: Object) -> Iterator[Finding]:
    """The targets of a policy at which nothing enforces it, as far as the objects show: hosts without a waypoint, and
    Istio's own Gateways."""
    for i, target in enumerate(targets(policy)):
        path = f"targetRefs[{i}]" if policy.items("targetRefs") else "targetRef"
        kind, name = target["kind"], target["name"]
        of_host = _OF_HOSTS.get(kind)
        if of_host and _waypoint(mesh, Ref(of_host, policy.namespace, name)) in ("", "none"):
            text = f"{kind} {name} has no waypoint, and sidecars ignore targets, so nothing enforces it: use selector"
            yield codes.NO_WORKLOADS.at(policy, path, text)
        elif kind == kinds.GATEWAY.name and _is_istios(mesh, policy.namespace, name):
            text = f"{name} is a Gateway of Istio, not of the Gateway API, and ignores targets: use selector"
            yield codes.NO_WORKLOADS.at(policy, path, text)


def _waypoint(mesh: Mesh, ref: Ref) -> str | None:
    """The waypoint that the labels of a Service or ServiceEntry, or of its namespace, name; empty if they name none,
    None if they are not part of the stack."""
    host, namespace = mesh.get(ref), mesh.namespaces.get(ref.namespace)
    said = [obj.labels.get(WAYPOINT_LABEL, "") for obj in (host, namespace) if obj]
    return next(filter(None, said), "") if len(said) == 2 else None


def _is_istios(mesh: Mesh, namespace: str, name: str) -> bool:
    """Whether Istio has a Gateway of this name, and the Gateway API has none."""
    return bool(mesh.get(Ref(kinds.GATEWAY, namespace, name))) and not mesh.get(Ref(_OF_API, namespace, name))


def sources(mesh: Mesh) -> Iterator[Finding]:
    """The namespaces and principals in the `source` of AuthorizationPolicies exist."""
    accounts = {pod.identity for pod in mesh.workloads.all}
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        for path, source in authorization_policies.parts(policy):
            for field in ("namespaces", "notNamespaces"):
                yield from _namespaces(mesh, policy, f"{path}.{field}", source.get(field) or ())
            for field in ("principals", "notPrincipals"):
                yield from _principals(mesh, policy, f"{path}.{field}", source.get(field) or (), accounts)


def _namespaces(mesh: Mesh, policy: Object, path: str, names: Sequence[str]) -> Iterator[Finding]:
    for k, name in enumerate(names):
        if not any(matches(name, place) for place in mesh.known_namespaces):
            text = f"namespace {name} is unknown{errors.nearest(name, mesh.known_namespaces)}"
            yield codes.NOT_FOUND.at(policy, f"{path}[{k}]", text, Severity.WARNING)


def _principals(mesh: Mesh, policy: Object, path: str, names: Sequence[str], accounts: set[str]) -> Iterator[Finding]:
    for k, name in enumerate(names):
        parts = name.split("/")
        known = len(parts) == 5 and "*" not in name and parts[2] in mesh.known_namespaces
        if known and "/".join(parts[1:]) not in accounts:
            around = [account.rpartition("/")[2] for account in sorted(accounts) if f"/{parts[2]}/" in account]
            text = f"no workload of namespace {parts[2]} runs as {parts[4]}{errors.nearest(parts[4], around)}"
            yield codes.UNKNOWN_PRINCIPAL.at(policy, f"{path}[{k}]", text)


def matches(pattern: str, text: str) -> bool:
    """Whether `text` matches a pattern of an AuthorizationPolicy: exact, or with `*` at its start or end."""
    if pattern.endswith("*") and pattern != "*":
        return text.startswith(pattern[:-1])
    return covers(pattern, text)


RULES: Final = (selectors, sources)
