"""What a receiver's proxy says to a request: mutual TLS, and authorization policies."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules.authorization import matches
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.requests.types import Request

_KIND = "AuthorizationPolicy"
_KEYED = "request.headers["


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request as it arrives at a pod."""

    request: Request
    caller: Workload | None
    """Who the connection is from; None for somebody outside the cluster."""
    mutual: bool
    """Whether it came over mutual TLS, so that the caller is known."""
    port: int | None
    """The pod's port."""

    @property
    def namespace(self) -> str:
        return self.caller.namespace if self.caller and self.mutual else ""

    def principal(self, domain: str) -> str:
        """The caller's identity in a trust domain; empty without mutual TLS."""
        if not (self.caller and self.mutual):
            return ""
        return f"{domain}/ns/{self.caller.namespace}/sa/{self.caller.account}"


class Policies:
    """The AuthorizationPolicies of a mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self._domain = mesh.config.get("trustDomain") or "cluster.local"
        self._of: dict[Workload, list[Object]] = {}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            labels: Mapping[str, str] = (policy.spec.get("selector") or {}).get("matchLabels") or {}
            place = None if policy.namespace == mesh.root else policy.namespace
            for pod in mesh.workloads.select(labels, place):
                self._of.setdefault(pod, []).append(policy)

    def refusal(self, pod: Workload, arrival: Arrival) -> str:
        """Which policy refuses a request to a pod, in words; empty if it is let in. Only a proxy refuses."""
        if not pod.proxy:
            return ""
        policies = self._of.get(pod, [])
        for policy in policies:
            if policy.spec.get("action") == "DENY" and self._meant(policy, arrival):
                return f"{policy.ref} denies it"
        allowing = [policy for policy in policies if policy.spec.get("action", "ALLOW") == "ALLOW"]
        if allowing and not any(self._meant(policy, arrival) for policy in allowing):
            names = ", ".join(f"{policy.namespace}/{policy.name}" for policy in allowing)
            one = len(allowing) == 1
            return f"{_KIND} {names} does not allow it" if one else f"none of {_KIND} {names} allows it"
        return ""

    def _meant(self, policy: Object, arrival: Arrival) -> bool:
        return any(self._rule(rule or {}, arrival) for rule in policy.items("rules"))

    def _rule(self, rule: Mapping[str, Any], arrival: Arrival) -> bool:
        callers, operations = rule.get("from"), rule.get("to")
        return (
            (not callers or any(self._source(entry.get("source") or {}, arrival) for entry in callers))
            and (not operations or any(_operation(entry.get("operation") or {}, arrival) for entry in operations))
            and all(self._condition(condition, arrival) for condition in rule.get("when") or ())
        )

    def _source(self, source: Mapping[str, Any], arrival: Arrival) -> bool:
        values = {
            "principals": arrival.principal(self._domain),
            "namespaces": arrival.namespace,
            "requestPrincipals": arrival.request.subject,
        }
        named = all(_said(source, field, value) for field, value in values.items())
        blocks = ("ipBlocks", "remoteIpBlocks")
        return named and all(_said(source, field, arrival.request.address, addresses=True) for field in blocks)

    def _condition(self, condition: Mapping[str, Any], arrival: Arrival) -> bool:
        key, request = condition["key"], arrival.request
        known = {
            "source.namespace": arrival.namespace,
            "source.principal": arrival.principal(self._domain),
            "source.ip": request.address,
            "remote.ip": request.address,
            "destination.port": str(arrival.port or ""),
            "request.auth.principal": request.subject,
        }
        header = request.headers.get(key[len(_KEYED) : -1].lower(), "") if key.startswith(_KEYED) else ""
        return _said(condition, "values", known.get(key, header), addresses=key in ("source.ip", "remote.ip"))


def _operation(operation: Mapping[str, Any], arrival: Arrival) -> bool:
    request = arrival.request
    values = {
        "hosts": request.host,
        "methods": request.method,
        "paths": request.url_path,
        "ports": str(arrival.port or ""),
    }
    return all(_said(operation, field, value) for field, value in values.items())


def _said(part: Mapping[str, Any], field: str, value: str, addresses: bool = False) -> bool:
    """Whether a value is among those of a field, and not among those of its opposite."""
    without = f"not{field[:1].upper()}{field[1:]}"
    fits = _inside if addresses else _like
    wanted, unwanted = part.get(field), part.get(without)
    return (not wanted or any(fits(item, value) for item in wanted)) and not any(
        fits(item, value) for item in unwanted or ()
    )


def _like(pattern: str, value: str) -> bool:
    """A lone `*` stands for anything that is there."""
    return bool(value) and (pattern == "*" or matches(pattern, value))


def _inside(block: str, address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)
