"""`mesh:security.jwt`: JSON Web Tokens that a gateway requires of clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import Field

from mesh import api
from mesh.analysis.hosts import ALL, overlap
from mesh.core.errors import show
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings
from mesh.security.authorization import PathPattern
from mesh.traffic import envoy
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.ingress import DEFAULT_GATEWAY, HostName, Ingress, has_cors
from mesh.traffic.objects import ConfigObject
from mesh.traffic.rate_limit_filters import SUPPRESSION

PATH: Final = "security.jwt"


class Jwt(Documented):
    """JSON Web Tokens that a gateway requires of clients. A missing token gets status 403, an invalid one 401. The
    gateway answers preflight requests of browsers, which carry no token, where a route has `cors`."""

    issuers: list[api.JWTRule] = Field(min_length=1)
    """Issuers whose tokens are accepted, with the fields of Istio's JWTRule: `issuer`, and `jwksUri` or `jwks`."""
    gateway: Name = DEFAULT_GATEWAY
    """Name of the stack's gateway."""
    hosts: list[HostName] = []
    """Hosts that require a token; all if empty."""
    public: list[PathPattern] = []
    """Paths that need no token, exact or with `*` at the start or end."""

    def check(self) -> Findings:
        for i, rule in enumerate(self.issuers):
            if not (rule.jwks or rule.jwksUri or rule.jwks_uri) and not (rule.issuer or "").startswith("https://"):
                yield ("issuers", i), "needs jwksUri or jwks: only an https:// issuer publishes where its keys are"
        for i, path in enumerate(self.public):
            if path in ("*", "/*"):
                yield ("public", i), f"{show(path)} is every path, so that nobody would need a token: leave jwt out"


def objects(jwt: Jwt, stack: StackContext, entries: Mapping[str, Ingress]) -> Iterator[ConfigObject]:
    """The RequestAuthentication, an AuthorizationPolicy that denies requests without a token, and an EnvoyFilter where
    one of `entries`, the hosts of the stack's gateways, has CORS behind tokens. Raises ApiError if the gateway is not
    the stack's."""
    ref = stack.gateway(jwt.gateway)
    selector = api.PolicySelector(matchLabels=dict(ref.selector))
    name = f"{ref.name}-jwt"
    known = api.RequestAuthentication(selector=selector, jwtRules=jwt.issuers)
    yield ConfigObject(path=PATH, body=known, name=name, namespace=ref.namespace)
    if any(_required(jwt, entry) and has_cors(entry) for entry in entries.values()):
        body = api.EnvoyFilter.from_wire(
            {"workloadSelector": {"labels": dict(ref.selector)}, "configPatches": [envoy.cors_filter()]}
        )
        yield ConfigObject(path=PATH, body=body, name=name, namespace=ref.namespace, annotations=SUPPRESSION)
    hosts = [form for host in jwt.hosts for form in (host, *_with_ports(host, ref))]
    operation = api.Operation(hosts=hosts or None, notPaths=jwt.public or None) if hosts or jwt.public else None
    nobody = api.From(source=api.Source(notRequestPrincipals=["*"]))
    rule = api.Rule(from_=[nobody], to=[api.To(operation=operation)] if operation else None)
    refused = api.AuthorizationPolicy(selector=selector, action="DENY", rules=[rule])
    yield ConfigObject(path=PATH, body=refused, name=name, namespace=ref.namespace, late=True)


def _with_ports(host: str, ref: GatewayRef) -> Iterator[str]:
    """The forms of a host with a port, which the Host header may have. After a wildcard Istio's gateways take the port
    of the Service or of the pod alone, and a policy cannot name any port."""
    if not host.startswith("*"):
        yield f"{host}:*"
    elif host != ALL:
        yield from (f"{host}:{port}" for port in sorted(ref.ports | ref.pod_ports))


def _required(jwt: Jwt, entry: Ingress) -> bool:
    """Whether a host of the entry requires a token."""
    if entry.gateway != jwt.gateway:
        return False
    return any(overlap(host, wanted) for host in entry.hosts for wanted in jwt.hosts or (ALL,))
