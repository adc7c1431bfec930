"""Evaluates AuthorizationPolicies: whether a pod's proxy lets a request in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import DEFAULT_TRUST_DOMAIN
from mesh.requests.rules import CLAIM_KEY, CLAIMS_OF_KEYS, HEADER_KEY
from mesh.requests.texts import Text
from mesh.requests.types import Request

_KIND = "AuthorizationPolicy"


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
        return any(self._rule_matches(rule or {}, inbound) for rule in policy.items("rules"))

    def _rule_matches(self, rule: Mapping[str, Any], inbound: InboundRequest) -> bool:
        callers, operations = rule.get("from"), rule.get("to")
        return (
            (not callers or any(self._source_matches(entry.get("source") or {}, inbound) for entry in callers))
            and (
                not operations or any(_operation_matches(entry.get("operation") or {}, inbound) for entry in operations)
            )
            and all(self._condition_matches(condition, inbound) for condition in rule.get("when") or ())
        )

    def _source_matches(self, source: Mapping[str, Any], inbound: InboundRequest) -> bool:
        values = {
            "principals": inbound.principal(self._domain),
            "namespaces": inbound.namespace,
            "requestPrincipals": inbound.request.principal,
        }
        named = all(_field_matches(source, field, value) for field, value in values.items())
        blocks = ("ipBlocks", "remoteIpBlocks")
        return named and all(_field_matches(source, field, inbound.request.address, addresses=True) for field in blocks)

    def _condition_matches(self, condition: Mapping[str, Any], inbound: InboundRequest) -> bool:
        key, request = condition["key"], inbound.request
        known = {
            "source.namespace": inbound.namespace,
            "source.principal": inbound.principal(self._domain),
            "source.ip": request.address,
            "remote.ip": request.address,
            "destination.port": str(inbound.port or ""),
            "request.auth.principal": request.principal,
            **{key: request.claims.get(claim, "") for key, claim in CLAIMS_OF_KEYS.items()},
        }
        value = known.get(key, "")
        if key.startswith(HEADER_KEY):
            value = request.header(key[len(HEADER_KEY) : -1].lower()) or ""
        elif key.startswith(CLAIM_KEY):
            value = request.claims.get(key[len(CLAIM_KEY) : -1], "")
        return _field_matches(condition, "values", value, addresses=key in ("source.ip", "remote.ip"))


def _operation_matches(operation: Mapping[str, Any], inbound: InboundRequest) -> bool:
    request = inbound.request
    values = {
        "hosts": request.authority,
        "methods": request.method,
        "paths": request.url_path,
        "ports": str(inbound.port or ""),
    }
    return all(_field_matches(operation, field, value) for field, value in values.items())


def _field_matches(part: Mapping[str, Any], field: str, value: str, addresses: bool = False) -> bool:
    """Whether a value meets a field, such as `paths`, and its negation, such as `notPaths`. An empty value meets no
    pattern."""
    negated = f"not{field[:1].upper()}{field[1:]}"

    def fits(item: str) -> bool:
        text = Text("network", item) if addresses else Text.of_pattern(item)
        return bool(value) and text.matches(value)

    wanted, unwanted = part.get(field), part.get(negated)
    return (not wanted or any(map(fits, wanted))) and not any(map(fits, unwanted or ()))
