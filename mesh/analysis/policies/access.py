"""AuthorizationPolicies that requests can bypass in proxies of the release (ISTIO-SECURITY-2021-008).

A fragment in the path of a request (CVE-2021-39156), or upper case in its host (CVE-2021-39155), keeps the request from
matching. It so bypasses rules that deny by paths or hosts; rules that allow by them only allow less. A path with a
trailing `*` matches fragments, too. Hosts are compared including the port of the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.core import kinds
from mesh.releases.release import Release

BULLETIN: Final = "ISTIO-SECURITY-2021-008"
_DENYING_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "ALLOW": ("notPaths", "notHosts"),
    "DENY": ("paths", "hosts"),
}
"""Fields of an operation that deny requests by path and by host, by the action of the policy."""

_AUDIT: Final = "AUDIT"
"""The action that denies nothing."""
_INSTEAD: Final = "allow requests by their"


def bypassed(policy: Object, release: Release) -> Iterator[Finding]:
    """Operations of an AuthorizationPolicy that requests can bypass."""
    if policy.kind != kinds.AUTHORIZATION_POLICY or BULLETIN not in release.bulletins:
        return
    action = policy.spec.get("action") or "ALLOW"
    for i, rule in enumerate(policy.items("rules")):
        for j, to in enumerate(rule.get("to") or ()):
            for field, text in _violations(to.get("operation") or {}, action):
                yield BYPASSED_RULE.at(policy, f"rules[{i}].to[{j}].operation.{field}", text)


def _violations(operation: Mapping[str, Any], action: str) -> Iterator[tuple[str, str]]:
    """Fields of an operation, each with the text of its violation."""
    by_path, by_host = _DENYING_FIELDS.get(action, ("", ""))
    for path in operation.get(by_path) or ():
        if not path.endswith("*"):
            yield by_path, f"{path} does not match {path}#x (CVE-2021-39156): {_INSTEAD} paths instead"
    for host in operation.get(by_host) or ():
        if host.upper() != host.lower():
            yield by_host, f"{host} does not match {host.upper()} (CVE-2021-39155): {_INSTEAD} hosts instead"
    for field in ("hosts", "notHosts") if action != _AUDIT else ():
        names = operation.get(field) or ()
        for name in names:
            if "*" not in name and ":" not in name and f"{name}:*" not in names:
                yield field, f"{name} does not match {name} with a port: add {name}:*"


BYPASSED_RULE: Final = Policy(
    code="MESH0306",
    name="BypassedRule",
    meaning=f"In proxies of the release, requests can bypass a rule of an AuthorizationPolicy ({BULLETIN}).",
    check_object=bypassed,
)
