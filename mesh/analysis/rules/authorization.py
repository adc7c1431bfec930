"""Checks security policies: they select workloads, and the namespaces and principals that they name exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.analysis import authorization_policies, codes
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh, selector_labels
from mesh.analysis.objects import Object
from mesh.api.names import covers
from mesh.core import errors, kinds

_KINDS: Final = (kinds.AUTHORIZATION_POLICY, kinds.REQUEST_AUTHENTICATION, kinds.PEER_AUTHENTICATION)


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each policy selects at least one workload with a proxy, which enforces it."""
    for kind in _KINDS:
        for policy in mesh.of(kind):
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
            text = f"the stack has nothing in a namespace {name}{errors.nearest(name, mesh.known_namespaces)}"
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
