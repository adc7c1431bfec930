"""`mesh:security.jwt`: JSON Web Tokens that a gateway requires of clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from mesh import api
from mesh.core.errors import show
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings
from mesh.security.authorization import PathPattern
from mesh.traffic.context import StackContext
from mesh.traffic.ingress import DEFAULT_GATEWAY, HostName
from mesh.traffic.objects import ConfigObject

PATH: Final = "security.jwt"


class Jwt(Documented):
    """JSON Web Tokens that a gateway requires of clients. A missing token gets status 403, an invalid one 401."""

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
            if not (rule.jwks or rule.jwksUri or rule.jwks_uri) and not rule.issuer.startswith("https://"):
                yield ("issuers", i), "needs jwksUri or jwks: only an https:// issuer publishes where its keys are"
        for i, path in enumerate(self.public):
            if path in ("*", "/*"):
                yield ("public", i), f"{show(path)} is every path, so that nobody would need a token: leave jwt out"


def objects(jwt: Jwt, stack: StackContext) -> Iterator[ConfigObject]:
    """The RequestAuthentication, and an AuthorizationPolicy that denies requests without a token. Raises ApiError if
    the gateway is not the stack's."""
    ref = stack.gateway(jwt.gateway)
    selector = api.PolicySelector(matchLabels=dict(ref.selector))
    name = f"{ref.name}-jwt"
    known = api.RequestAuthentication(selector=selector, jwtRules=jwt.issuers)
    yield ConfigObject(path=PATH, body=known, name=name, namespace=ref.namespace)
    # The Host header may contain a port.
    hosts = [form for host in jwt.hosts for form in (host, f"{host}:*") if not host.startswith("*") or form == host]
    operation = api.Operation(hosts=hosts or None, notPaths=jwt.public or None) if hosts or jwt.public else None
    nobody = api.From(source=api.Source(notRequestPrincipals=["*"]))
    rule = api.Rule(from_=[nobody], to=[api.To(operation=operation)] if operation else None)
    refused = api.AuthorizationPolicy(selector=selector, action="DENY", rules=[rule])
    yield ConfigObject(path=PATH, body=refused, name=name, namespace=ref.namespace, late=True)
