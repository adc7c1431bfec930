"""AuthorizationPolicies that requests can bypass in proxies of the release, according to its security bulletins.

ISTIO-SECURITY-2021-008: a fragment in the path of a request (CVE-2021-39156), or upper case in its host
(CVE-2021-39155), keeps the request from matching. Such a request bypasses rules that deny by paths or hosts; rules that
allow by them only allow less. A path with a trailing `*` also matches fragments.

ISTIO-SECURITY-2026-006: servers that drop the parameters of each segment of a path, such as Tomcat, take `/admin;x`
(CVE-2026-73511) and `/x/..;y/admin` (CVE-2026-73551) for `/admin`; the proxy does not. A trailing `*` matches the
former, but not the latter.

Hosts are compared including the port of the request, in all releases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.core import kinds
from mesh.releases.release import Release

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
    if policy.kind != kinds.AUTHORIZATION_POLICY:
        return
    action = policy.spec.get("action") or "ALLOW"
    checks = [*(CHECKS[bulletin] for bulletin in release.bulletins), _ports_of_hosts]
    for i, rule in enumerate(policy.items("rules")):
        for j, to in enumerate(rule.get("to") or ()):
            for field, text in (one for check in checks for one in check(to.get("operation") or {}, action)):
                yield BYPASSED_RULE.at(policy, f"rules[{i}].to[{j}].operation.{field}", text)


def _path_parameters(operation: Mapping[str, Any], action: str) -> Iterator[tuple[str, str]]:
    """Fields of an operation that deny by path, each with the text of its violation."""
    by_path, _ = _DENYING_FIELDS.get(action, ("", ""))
    for path in operation.get(by_path) or ():
        if path != "*":
            meant = path.strip("*")
            other, cve = (f"/x/..;y{meant}", 73551) if path.endswith("*") else (f"{meant};x", 73511)
            taken = f"which some servers take for {meant} (CVE-2026-{cve})"
            yield by_path, f"{path} does not match {other}, {taken}: {_INSTEAD} paths instead"


def _fragments_and_case(operation: Mapping[str, Any], action: str) -> Iterator[tuple[str, str]]:
    """Fields of an operation that deny by path or host, each with the text of its violation."""
    by_path, by_host = _DENYING_FIELDS.get(action, ("", ""))
    for path in operation.get(by_path) or ():
        if not path.endswith("*"):
            yield by_path, f"{path} does not match {path}#x (CVE-2021-39156): {_INSTEAD} paths instead"
    for host in operation.get(by_host) or ():
        if host.upper() != host.lower():
            yield by_host, f"{host} does not match {host.upper()} (CVE-2021-39155): {_INSTEAD} hosts instead"


def _ports_of_hosts(operation: Mapping[str, Any], action: str) -> Iterator[tuple[str, str]]:
    """Fields of an operation with hosts that requests for another port do not match, in any release."""
    for field in ("hosts", "notHosts") if action != _AUDIT else ():
        names = operation.get(field) or ()
        for name in names:
            if "*" not in name and ":" not in name and f"{name}:*" not in names:
                yield field, f"{name} does not match {name} with a port: add {name}:*"


CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Iterator[tuple[str, str]]]]] = {
    "ISTIO-SECURITY-2021-008": _fragments_and_case,
    "ISTIO-SECURITY-2026-006": _path_parameters,
}
"""The check of each bulletin: takes an operation and the action of its policy, yields field and text of violations."""

BYPASSED_RULE: Final = Policy(
    code="MESH0306",
    name="BypassedRule",
    meaning=f"In proxies of the release, requests can bypass a rule of an AuthorizationPolicy ({', '.join(CHECKS)}).",
    check_object=bypassed,
)
