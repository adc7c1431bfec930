"""TLS of the hosts in `mesh:traffic.hosts`: terminated by the gateway or in front of it, or passed through."""

from __future__ import annotations

from typing import Any, Final, Literal

from mesh import api
from mesh.core.kubernetes import Name
from mesh.core.typed import Findings, ShortForm

_OF_THE_GATEWAY: Final = ("secret", "mode", "oldest")
"""Fields about TLS between clients and the gateway itself."""


class GatewayTls(ShortForm):
    """TLS of a host. By default, the gateway terminates it."""

    short_forms = "the name of a Secret, PASSTHROUGH"

    secret: Name | None = None
    """Name of a Secret of type `kubernetes.io/tls`, with certificate and key, in the gateway's namespace. Required
    if the gateway terminates TLS."""
    mode: Literal["SIMPLE", "MUTUAL", "PASSTHROUGH"] = "SIMPLE"
    """`SIMPLE`: only the server has a certificate. `MUTUAL`: clients also need one, and the Secret has their CA as
    `ca.crt`. `PASSTHROUGH`: the gateway chooses the service by server name (SNI), and the service terminates TLS."""
    endsAt: Literal["gateway", "loadBalancer"] = "gateway"
    """Where TLS ends. `loadBalancer`: in front of the gateway, which gets plain HTTP on port 80, with the client's
    scheme in the header `x-forwarded-proto`."""
    oldest: Literal["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] = "TLSV1_2"
    """Minimum version of TLS."""
    redirect: bool = True
    """Whether clients that speak plain HTTP are redirected to https with status 301: on port 80, or with `endsAt:
    loadBalancer` depending on `x-forwarded-proto`. Otherwise port 80 does not serve the hosts, or serves both. Not in
    mode `PASSTHROUGH`."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value == "PASSTHROUGH":
            return {"mode": value}
        return {"secret": value} if isinstance(value, str) else value

    def check(self) -> Findings:
        given = self.model_fields_set
        if self.before_gateway:
            for name in (name for name in _OF_THE_GATEWAY if name in given):
                yield (name,), "is for TLS that the gateway speaks, but endsAt is loadBalancer: leave one of them out"
        elif self.passed_on:
            for name in (name for name in ("secret", "oldest") if name in given):
                yield (
                    (name,),
                    "is for TLS that the gateway terminates; in mode PASSTHROUGH the service does: leave it out",
                )
            if self.redirect and "redirect" in given:
                yield ("redirect",), "is not possible in mode PASSTHROUGH: leave it out"
        elif not self.secret:
            yield ("secret",), "is required"

    @property
    def before_gateway(self) -> bool:
        """Whether the gateway gets plain HTTP."""
        return self.endsAt == "loadBalancer"

    @property
    def passed_on(self) -> bool:
        """Whether the gateway passes connections on as they are."""
        return self.mode == "PASSTHROUGH"

    @property
    def redirects(self) -> bool:
        """Whether clients that speak plain HTTP are redirected to https."""
        return self.redirect and not self.passed_on

    def settings(self) -> api.ServerTLSSettings:
        """The settings of the server that speaks TLS, in Istio's API."""
        if self.passed_on:
            return api.ServerTLSSettings(mode="PASSTHROUGH")
        return api.ServerTLSSettings(mode=self.mode, credentialName=self.secret, minProtocolVersion=self.oldest)
