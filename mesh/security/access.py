"""Rules of `mesh:security.authorization`: the called pods, the callers, and the requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from mesh import api
from mesh.analysis.hosts import ALL
from mesh.api import http_text
from mesh.api.names import Selector, Subnet, is_label
from mesh.api.scalars import Text as NotEmpty
from mesh.core.errors import show
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Deciding, Documented, Findings
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.ingress import HostName
from mesh.traffic.matching import Method

_CLAIM: Final = re.compile(r"[^\[\]\s]+(\[[^\[\]]+\])*")
_CALLERS: Final = ("accounts", "gateways", "namespaces", "ipBlocks", "remoteIpBlocks", "claims")


def _account(text: str) -> str:
    if not all(is_label(part) for part in text.split("/")) or text.count("/") > 1:
        raise ValueError(f"{show(text)} is not a service account: write name, or namespace/name")
    return text


def path_pattern(text: str) -> str:
    """Returns the path. Raises ValueError if no request has such a path."""
    if problem := http_text.pattern(text):
        raise ValueError(problem)
    return text


def _claim(text: str) -> str:
    if not _CLAIM.fullmatch(text):
        raise ValueError(f"{show(text)} is not a claim: write name, or outer[inner]")
    return text


def _values(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


PathPattern = Annotated[NotEmpty, AfterValidator(path_pattern)]
"""A path, exact or with `*` at the start or end."""
Claims = dict[Annotated[NotEmpty, AfterValidator(_claim)], Annotated[list[NotEmpty], BeforeValidator(_values)]]
"""Claims of a token by name (`outer[inner]` for a nested one), each with the values of which it must have one."""


def conditions(claims: Claims, wanted: bool = True) -> Iterator[api.Condition]:
    """The conditions that each claim has one of its values, or none of them if not `wanted`."""
    for name, values in claims.items():
        first, bracket, rest = name.partition("[")
        key = f"request.auth.claims[{first}]{bracket}{rest}"
        yield api.Condition(key=key, **{"values" if wanted else "notValues": list(values)})


def host_forms(host: str, ref: GatewayRef) -> Iterator[str]:
    """The forms of a host in the Host header, with and without a port. With a wildcard, a policy cannot match any port,
    so these are the ports of the gateway's Service and pods, the only ones that Istio's gateways accept then."""
    yield host
    if not host.startswith("*"):
        yield f"{host}:*"
    elif host != ALL:
        yield from (f"{host}:{port}" for port in sorted(ref.ports | ref.pod_ports))


class Requested(Documented):
    """Requests to some pods: those that match all of the fields."""

    workload: Selector = {}
    """Labels of the pods that are called; a pod must have all of them. Required without `atGateway`."""
    atGateway: Name | None = None
    """Gateway of the stack whose pods are called, instead of `workload` and `namespace`."""
    namespace: Name | None = None
    """Namespace of the pods; if not set, Bookinfo's, or the only injected namespace."""
    ipBlocks: list[Annotated[Subnet, Deciding]] = []
    """Addresses or ranges that connections come from; any if empty."""
    remoteIpBlocks: list[Annotated[Subnet, Deciding]] = []
    """Addresses or ranges of the original clients, which a trusted load balancer reports in `X-Forwarded-For`
    (`numTrustedProxies`); any if empty."""
    hosts: list[HostName] = []
    """Requested hosts, only with `atGateway`; any if empty."""
    methods: list[Method] = []
    """HTTP methods; any if empty."""
    paths: list[PathPattern] = []
    """Paths, exact or with `*` at the start or end; any if empty."""
    ports: list[PortNumber] = []
    """Ports of the pods, by number; any if empty."""

    def check(self) -> Findings:
        if not self.workload and not self.atGateway:
            yield ("workload",), "is required without atGateway: the labels of the called pods"
        if self.atGateway:
            for name in (name for name in ("workload", "namespace") if getattr(self, name)):
                yield (name,), "cannot be combined with atGateway, which selects the gateway's pods"
        elif self.hosts:
            yield ("hosts",), "need atGateway: behind a gateway, any host leads to the pods"

    def place(self, stack: StackContext) -> tuple[api.PolicySelector, str]:
        """The selector and the namespace of the policy. Raises ApiError if the namespace or the gateway is not the
        stack's."""
        if self.atGateway:
            ref = stack.gateway(self.atGateway)
            return api.PolicySelector(matchLabels=dict(ref.selector)), ref.namespace
        return api.PolicySelector(matchLabels=self.workload), stack.namespace_for(self.namespace)


class Access(Requested):
    """Requests of some clients to some pods: those of any client in `accounts`, `gateways` or `namespaces` that also
    match all other fields."""

    accounts: list[Annotated[str, AfterValidator(_account)]] = []
    """Service accounts of clients: `name` in the same namespace, or `namespace/name`."""
    gateways: list[Name] = []
    """Gateways of the stack, as clients."""
    namespaces: list[Name] = []
    """Namespaces, with all of their workloads as clients."""
    claims: Claims = {}
    """Claims that the client's token must have, by name (`outer[inner]` for a nested one), each with the values of
    which it must have one. The pods must validate tokens, as the gateway of `mesh:security.jwt` does."""

    @property
    def names_callers(self) -> bool:
        """Whether the rule names callers."""
        return any(getattr(self, name) for name in _CALLERS)


def rule(meant: Requested, stack: StackContext, **more: Any) -> api.Rule:
    """The rule of a policy; `more` are further fields of its operation. Raises ApiError if a gateway is not the
    stack's."""
    ref = stack.gateway(meant.atGateway) if meant.atGateway else None
    fields: Mapping[str, list[str]] = {
        "hosts": [form for host in meant.hosts for form in host_forms(host, ref)] if ref else [],
        "methods": list(map(str, meant.methods)),
        "paths": list(meant.paths),
        "ports": list(map(str, meant.ports)),
        **more,
    }
    given = {name: value for name, value in fields.items() if value}
    return api.Rule(
        from_=[api.From(source=source) for source in _sources(meant, stack)] or None,
        to=[api.To(operation=api.Operation(**given))] if given else None,
        when=list(conditions(meant.claims)) or None if isinstance(meant, Access) else None,
    )


def _sources(meant: Requested, stack: StackContext) -> list[api.Source]:
    """The sources of the rule, any of which has to match; empty for anybody."""
    blocks = {name: getattr(meant, name) for name in ("ipBlocks", "remoteIpBlocks") if getattr(meant, name)}
    found: list[api.Source] = []
    if isinstance(meant, Access):
        namespace = meant.place(stack)[1]
        refs = [stack.gateway(gateway) for gateway in meant.gateways]
        names = [one if "/" in one else f"{namespace}/{one}" for one in meant.accounts]
        names += [f"{ref.namespace}/{ref.service_account}" for ref in refs]
        principals = [f"{stack.trust_domain}/ns/{home}/sa/{who}" for home, who in (one.split("/") for one in names)]
        found += [api.Source(principals=principals, **blocks)] if principals else []
        found += [api.Source(namespaces=meant.namespaces, **blocks)] if meant.namespaces else []
    return found or ([api.Source(**blocks)] if blocks else [])
