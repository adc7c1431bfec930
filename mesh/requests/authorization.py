"""Evaluates AuthorizationPolicies: whether a pod's proxy lets a request in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import DEFAULT_TRUST_DOMAIN
from mesh.releases.release import Requests
from mesh.requests.rules import CLAIM_KEY, CLAIMS_OF_KEYS, HEADER_KEY, claim_of_key
from mesh.requests.texts import ADDRESS, AUTHORITY, METHOD, PATH, Part, Text
from mesh.requests.types import Request

_KIND = "AuthorizationPolicy"
_OF_REQUESTS: Final = {
    form
    for name in ("hosts", "methods", "paths", "requestPrincipals")
    for form in (name, f"not{name[0].upper()}{name[1:]}")
}
"""Fields of a rule that only requests have, not connections."""
_OTHER: Final[Part] = ("other", "")
"""A part of a request whose patterns work alike in all releases."""


def treated(mesh: Mesh) -> Requests:
    """How the proxies of a mesh treat requests."""
    return mesh.release.requests


@dataclass(frozen=True, kw_only=True)
class InboundRequest:
    """A request as it arrives at a pod."""

    request: Request
    caller: Workload | None
    """Workload that opened the connection; None for a client outside the cluster."""
    mutual: bool
    """Whether the connection uses mutual TLS, so that the caller's identity is known."""
    port: int | None
    """Port of the pod."""
    peer: str = ""
    """IP address that the connection comes from; empty if unknown. `request.address` is the original client's."""
    connection: bool = False
    """Whether the pod's proxy sees no request, only a connection."""

    @property
    def namespace(self) -> str:
        """The caller's namespace; empty without mutual TLS."""
        return self.caller.namespace if self.caller and self.mutual else ""

    def principal(self, domain: str) -> str:
        """The caller's SPIFFE identity without the scheme, in a trust domain; empty without mutual TLS."""
        if not (self.caller and self.mutual):
            return ""
        return f"{domain}/{self.caller.identity}"


class AuthorizationPolicies:
    """The AuthorizationPolicies of a mesh, by the pods that they select."""

    def __init__(self, mesh: Mesh) -> None:
        self._domain = mesh.config.get("trustDomain") or DEFAULT_TRUST_DOMAIN
        self._treated = treated(mesh)
        self._of: dict[Workload, list[Object]] = {}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            for pod in mesh.selected_by(policy):
                self._of.setdefault(pod, []).append(policy)

    def refusal(self, pod: Workload, inbound: InboundRequest) -> str:
        """Why a pod's policies deny a request, with their names; empty if they allow it. Pods without a proxy allow
        all."""
        if not pod.proxy:
            return ""
        policies = self._of.get(pod, [])
        for policy in policies:
            if policy.spec.get("action") == "DENY" and self._policy_matches(policy, inbound):
                return f"{policy.ref} denies it"
        allowing = [policy for policy in policies if policy.spec.get("action", "ALLOW") == "ALLOW"]
        if allowing and not any(self._policy_matches(policy, inbound) for policy in allowing):
            names = ", ".join(f"{policy.namespace}/{policy.name}" for policy in allowing)
            one = len(allowing) == 1
            return f"{_KIND} {names} does not allow it" if one else f"none of {_KIND} {names} allows it"
        return ""

    def _policy_matches(self, policy: Object, inbound: InboundRequest) -> bool:
        rules = (rule or {} for rule in policy.items("rules"))
        if inbound.connection:
            rules = (_of_connections(rule) for rule in rules if _is_of_connections(rule, policy))
        return any(self._rule_matches(rule, inbound, policy.namespace) for rule in rules)

    def _rule_matches(self, rule: Mapping[str, Any], inbound: InboundRequest, namespace: str) -> bool:
        sources = [one.get("source") or {} for one in rule.get("from") or ()]
        operations = [one.get("operation") or {} for one in rule.get("to") or ()]
        return (
            (not sources or any(self._source_matches(one, inbound, namespace) for one in sources))
            and (not operations or any(self._operation_matches(one, inbound) for one in operations))
            and all(self._condition_matches(condition, inbound) for condition in rule.get("when") or ())
        )

    def _source_matches(self, source: Mapping[str, Any], inbound: InboundRequest, namespace: str) -> bool:
        """Whether the caller matches. Accounts without a namespace are in the policy's `namespace`."""
        values = {
            "principals": inbound.principal(self._domain),
            "namespaces": inbound.namespace,
            "requestPrincipals": inbound.request.principal,
        }
        named = all(self._field_matches(source, field, value) for field, value in values.items())
        named = named and _accounts_match(source, inbound, namespace)
        addresses = {"ipBlocks": inbound.peer, "remoteIpBlocks": inbound.request.address}
        return named and all(self._field_matches(source, field, one, ADDRESS) for field, one in addresses.items())

    def _condition_matches(self, condition: Mapping[str, Any], inbound: InboundRequest) -> bool:
        key, request = condition["key"], inbound.request
        known = {
            "source.namespace": inbound.namespace,
            "source.principal": inbound.principal(self._domain),
            "source.ip": inbound.peer,
            "remote.ip": request.address,
            "destination.port": str(inbound.port or ""),
            "request.auth.principal": request.principal,
            **{key: request.claim(claim) or "" for key, claim in CLAIMS_OF_KEYS.items()},
        }
        value = known.get(key, "")
        if key.startswith(HEADER_KEY):
            value = request.header(key[len(HEADER_KEY) : -1].lower()) or ""
        elif key.startswith(CLAIM_KEY):
            value = request.claim(claim_of_key(key)) or ""
        part = ADDRESS if key in ("source.ip", "remote.ip") else _OTHER
        return self._field_matches(condition, "values", value, part)

    def _operation_matches(self, operation: Mapping[str, Any], inbound: InboundRequest) -> bool:
        request = inbound.request
        values: Mapping[str, tuple[str, Part]] = {
            "hosts": (request.authority, AUTHORITY),
            "methods": (request.method, METHOD),
            "paths": (request.url_path, PATH),
            "ports": (str(inbound.port or ""), _OTHER),
        }
        return all(self._field_matches(operation, field, value, part) for field, (value, part) in values.items())

    def _field_matches(self, owner: Mapping[str, Any], field: str, value: str, part: Part = _OTHER) -> bool:
        """Whether a value meets a field, such as `paths`, and its negation, such as `notPaths`. An empty value meets no
        pattern."""

        def fits(item: str) -> bool:
            text = Text("network", item) if part == ADDRESS else Text.of_pattern(item, part, self._treated)
            return bool(value) and text.matches(value)

        wanted, unwanted = owner.get(field), owner.get(_negated(field))
        return (not wanted or any(map(fits, wanted))) and not any(map(fits, unwanted or ()))


def _is_of_connections(rule: Mapping[str, Any], policy: Object) -> bool:
    """Whether a rule applies to connections without requests. A rule of ALLOW with conditions on requests does not."""
    return policy.spec.get("action", "ALLOW") != "ALLOW" or _of_connections(rule) == rule


def _of_connections(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rule without its conditions on requests. In this form, DENY applies to connections without requests."""

    def left(part: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in part.items() if name not in _OF_REQUESTS or not value}

    return {
        **rule,
        **({"from": [{"source": left(one.get("source") or {})} for one in rule["from"]]} if rule.get("from") else {}),
        **({"to": [{"operation": left(one.get("operation") or {})} for one in rule["to"]]} if rule.get("to") else {}),
        **({"when": [one for one in rule["when"] if not _asks_request(one)]} if rule.get("when") else {}),
    }


def _asks_request(condition: Mapping[str, Any]) -> bool:
    return str(condition["key"]).startswith("request.")


def _accounts_match(source: Mapping[str, Any], inbound: InboundRequest, namespace: str) -> bool:
    """Whether the caller's service account is among `serviceAccounts`, and not among `notServiceAccounts`."""
    own = inbound.caller.identity if inbound.caller and inbound.mutual else ""

    def listed(field: str) -> bool:
        accounts: Sequence[str] = source.get(field) or ()
        places = (one.rpartition("/") for one in accounts)
        return own in [f"ns/{place or namespace}/sa/{name}" for place, _, name in places]

    return (not source.get("serviceAccounts") or listed("serviceAccounts")) and not listed("notServiceAccounts")


def _negated(field: str) -> str:
    return f"not{field[:1].upper()}{field[1:]}"
