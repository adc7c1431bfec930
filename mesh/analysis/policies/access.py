"""Access rules that the release's proxies enforce wrongly.

ISTIO-SECURITY-2021-008 says which: a fragment in a request's path (CVE-2021-39156), or another case in its host
(CVE-2021-39155), makes it another path or host, so that a rule which shuts requests out by them lets these pass. And
a host is compared together with its port. A rule that lets requests in by paths or hosts only lets fewer in; and a
path that ends in a star stands for what has a fragment, too.
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
_SHUTS_OUT_BY: Final[Mapping[str, tuple[str, str]]] = {
    "ALLOW": ("notPaths", "notHosts"),
    "DENY": ("paths", "hosts"),
}
"""Fields of an operation by which a policy of an action keeps requests away: for paths, and for hosts."""

_WATCHING: Final = "AUDIT"
"""The action that lets everybody pass."""
_INSTEAD: Final = "write a rule that lets callers in by their"


def bypassed(thing: Object, release: Release) -> Iterator[Finding]:
    """Operations of an AuthorizationPolicy that requests get past."""
    if thing.kind != kinds.AUTHORIZATION_POLICY or BULLETIN not in release.bulletins:
        return
    action = thing.spec.get("action") or "ALLOW"
    for i, rule in enumerate(thing.items("rules")):
        for j, to in enumerate(rule.get("to") or ()):
            for field, text in _wrong(to.get("operation") or {}, action):
                yield BYPASSED_RULE.at(thing, f"rules[{i}].to[{j}].operation.{field}", text)


def _wrong(operation: Mapping[str, Any], action: str) -> Iterator[tuple[str, str]]:
    """Fields, and what is wrong with them."""
    by_path, by_host = _SHUTS_OUT_BY.get(action, ("", ""))
    for path in operation.get(by_path) or ():
        if not path.endswith("*"):
            yield by_path, f"{path} does not keep {path}#x away (CVE-2021-39156): {_INSTEAD} paths"
    for host in operation.get(by_host) or ():
        if host.upper() != host.lower():
            yield by_host, f"{host} does not keep {host.upper()} away (CVE-2021-39155): {_INSTEAD} hosts"
    for field in ("hosts", "notHosts") if action != _WATCHING else ():
        names = operation.get(field) or ()
        for name in names:
            if "*" not in name and ":" not in name and f"{name}:*" not in names:
                yield field, f"{name} does not stand for {name} with a port: add {name}:*"


BYPASSED_RULE: Final = Policy(
    code="MESH0306",
    name="BypassedRule",
    meaning=f"The release's proxies let requests past an AuthorizationPolicy that is meant for them ({BULLETIN}).",
    check_object=bypassed,
)
