"""Checks the conditions of security policies: requests can meet them, and the pods listen on the ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.authorization_policies import conditions, parts
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules.conditions import method
from mesh.api import http_text
from mesh.api.scalars import port_of
from mesh.core import kinds
from mesh.core.errors import show
from mesh.core.protocols import is_http

_OF_PROXY: Final = range(15000, 15100)
"""Ports of the sidecar itself."""
_SCHEME: Final = "spiffe://"
_PORT: Final = "destination.port"
_HTTP: Final = ("hosts", "methods", "paths")


def values(mesh: Mesh) -> Iterator[Finding]:
    """A request can have each path, method, host, principal and namespace in an AuthorizationPolicy."""
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        for path, part in parts(policy):
            for field, said in part.items():
                check = _CHECKS.get(field.removeprefix("not").lower())
                for k, value in enumerate(said if check else ()):
                    if check and (problem := check(value)):
                        yield codes.POLICY_MATCHES_NOTHING.at(policy, f"{path}.{field}[{k}]", problem)


def _host(text: str) -> str:
    bare = text.strip("*")
    return http_text.star(text) or (http_text.authority(bare) if bare and "/" in bare else "")


def _principal(text: str) -> str:
    if text.startswith(_SCHEME):
        return f"{show(text)}: a principal has no scheme: write {show(text.removeprefix(_SCHEME))}"
    return http_text.star(text)


_CHECKS: Final = {
    "paths": http_text.pattern,
    "methods": lambda text: http_text.star(text) or method(text.strip("*")),
    "hosts": _host,
    "principals": _principal,
    "requestprincipals": http_text.star,
    "namespaces": http_text.star,
}
"""Checks of the values of each field and of its negation, by the field's name in lower case."""


def ports(mesh: Mesh) -> Iterator[Finding]:
    """A pod of the policy listens on each port that the policy names."""
    for policy in (*mesh.of(kinds.AUTHORIZATION_POLICY), *mesh.of(kinds.PEER_AUTHENTICATION)):
        named = list(_ports(policy))
        listening = _listening(mesh, policy) if named else {}
        for path, number in named if listening else ():
            if number not in listening and number not in _OF_PROXY:
                targets = {
                    str(target)
                    for pod in mesh.selected_by(policy)
                    for service in mesh.services_before.get(pod, ())
                    for port in service.ports
                    if port.number == number and (target := pod.port_number(port.target))
                }
                known = ", ".join(str(port) for port in sorted(listening) if port not in _OF_PROXY)
                own = (
                    f"; {number} is a Service's port: write its pods' {' and '.join(sorted(targets))}"
                    if targets
                    else ""
                )
                text = (
                    f"its pods listen on {known}, not on {number}, by containers and Services: this never applies{own}"
                )
                yield codes.PORT_WITHOUT_LISTENER.at(policy, path, text)


def _ports(policy: Object) -> Iterator[tuple[str, int]]:
    """The ports that a policy names, with their paths."""
    for number in policy.spec.get("portLevelMtls") or ():
        yield f"portLevelMtls.{number}", int(number)
    said = [(f"{path}.{field}", part.get(field)) for path, part in parts(policy) for field in ("ports", "notPorts")]
    for path, condition in conditions(policy):
        if condition.get("key") == _PORT:
            said += [(f"{path}.{field}", condition.get(field)) for field in ("values", "notValues")]
    for path, numbers in said:
        for k, text in enumerate(numbers or ()):
            if number := port_of(str(text)):
                yield f"{path}[{k}]", number


def _listening(mesh: Mesh, policy: Object) -> Mapping[int, str]:
    """The ports of all pods of a policy; empty if those of some pod are unknown."""
    found: dict[int, str] = {}
    for pod in (pod for pod in mesh.selected_by(policy) if pod.proxy):
        own = mesh.listening(pod)
        if not own:
            return {}
        found |= own
    return found


def http_rules(mesh: Mesh) -> Iterator[Finding]:
    """Operations with conditions on HTTP requests are for ports that take HTTP: DENY for them alone, ALLOW for some."""
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        asking = [(path, part, field) for path, part in parts(policy) for field in part if _is_http(field)]
        pods = [pod for pod in mesh.selected_by(policy) if pod.proxy] if asking else []
        if any(pod.gateway for pod in pods) or any(
            condition.get("key") == _PORT for _, condition in conditions(policy)
        ):
            continue  # a Gateway sets the protocol of its ports; a condition may leave only HTTP ports
        ports = _listening(mesh, policy) if asking else {}
        for path, part, field in asking:
            meant = {number: protocol for number, protocol in ports.items() if number in _numbers(part, ports)}
            tcp = {number: protocol for number, protocol in meant.items() if protocol and not is_http(protocol)}
            said = ", ".join(f"{number} is {protocol}" for number, protocol in sorted(tcp.items()))
            deny = policy.spec.get("action") == "DENY"
            if tcp and (deny or tcp == meant):
                effect = f"denies all connections there: {_way(ports)}" if deny else "allows none: set only ports"
                text = f"{said}, where no request has {field}, so it {effect}"
                yield codes.HTTP_RULE_ON_TCP.at(policy, f"{path}.{field}", text)
                break


def _way(ports: Mapping[int, str]) -> str:
    """How to deny requests, or connections, to pods with these ports."""
    http = [str(number) for number, protocol in sorted(ports.items()) if is_http(protocol)]
    return f"list only HTTP ports in ports, {', '.join(http)}" if http else "set only ports"


def _numbers(operation: Mapping[str, Any], otherwise: Iterable[int]) -> set[int]:
    """The ports that an operation names; `otherwise` if it names none."""
    named = [port_of(str(text)) for text in operation.get("ports") or ()]
    return {number for number in named if number} or set(otherwise)


def _is_http(field: str) -> bool:
    return field.removeprefix("not").lower() in _HTTP


RULES: Final = (values, ports, http_rules)
