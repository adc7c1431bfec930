"""Tokens of users (JSON Web Tokens) that a gateway asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from mesh import api
from mesh.api.scalars import Text as NotEmpty
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings
from mesh.traffic.context import StackContext
from mesh.traffic.ingress import GATEWAY, HostName
from mesh.traffic.objects import ConfigObject

PATH: Final = "security.jwt"


class Jwt(Documented):
    """Tokens that a gateway asks visitors for: no or a bad one ends in status 403 or 401."""

    issuers: list[api.JWTRule] = Field(min_length=1)
    """Whose tokens are accepted, in Istio's words: `issuer`, and `jwksUri` or `jwks`."""
    gateway: Name = GATEWAY
    """One of the stack's gateways."""
    hosts: list[HostName] = []
    """Hosts that ask for a token; all if empty."""
    public: list[NotEmpty] = []
    """Paths that need none, with `*` at the start or end."""

    def check(self) -> Findings:
        for i, rule in enumerate(self.issuers):
            if not (rule.jwks or rule.jwksUri or rule.jwks_uri) and not rule.issuer.startswith("https://"):
                yield ("issuers", i), "needs jwksUri or jwks: only an https:// issuer can be asked where its keys are"


def objects(jwt: Jwt, stack: StackContext) -> Iterator[ConfigObject]:
    """RequestAuthentication, and an AuthorizationPolicy that refuses who brings no token. Raises ApiError."""
    ref = stack.gateway(jwt.gateway)
    selector = api.PolicySelector(matchLabels=dict(ref.selector))
    name = f"{ref.name}-jwt"
    known = api.RequestAuthentication(selector=selector, jwtRules=jwt.issuers)
    yield ConfigObject(path=PATH, body=known, name=name, namespace=ref.namespace)
    # Clients may send the port along.
    hosts = [form for host in jwt.hosts for form in (host, f"{host}:*") if not host.startswith("*") or form == host]
    operation = api.Operation(hosts=hosts or None, notPaths=jwt.public or None) if hosts or jwt.public else None
    nobody = api.From(source=api.Source(notRequestPrincipals=["*"]))
    rule = api.Rule(from_=[nobody], to=[api.To(operation=operation)] if operation else None)
    refused = api.AuthorizationPolicy(selector=selector, action="DENY", rules=[rule])
    yield ConfigObject(path=PATH, body=refused, name=name, namespace=ref.namespace, late=True)
