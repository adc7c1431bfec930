"""TLS that a proxy adds to plain HTTP on its way out of the mesh, with a certificate of the client or without."""

from __future__ import annotations

from typing import Any

from mesh import api
from mesh.api.scalars import Text as NotEmpty
from mesh.core.kubernetes import Name
from mesh.core.typed import Findings, ShortForm


class ClientCertificate(ShortForm):
    """The client certificate for a host outside the mesh: a Secret, or files."""

    short_forms = "the name of a Secret"

    secret: Name | None = None
    """Name of a Secret in the gateway's namespace with `tls.crt`, `tls.key` and, as `ca.crt`, the CA certificates
    that verify the host. Only with `gateway`: a sidecar may read no Secrets."""
    certificate: NotEmpty | None = None
    """Path of the certificate in the proxy's container, instead of `secret`."""
    key: NotEmpty | None = None
    """Path of the certificate's key in the proxy's container."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"secret": value} if isinstance(value, str) else value

    def check(self) -> Findings:
        if self.secret and (self.certificate or self.key):
            yield ("secret",), "cannot be combined with certificate and key: leave one of them out"
        elif not self.secret and not (self.certificate and self.key):
            yield (), "needs secret, or certificate and key"


def settings(host: str, authorities: str, own: ClientCertificate | None) -> api.ClientTLSSettings:
    """The TLS of connections to a host. One of the `authorities` must have signed its certificate; any if empty."""
    checked = [host] if authorities else None  # otherwise a certificate for any host is accepted
    if own and own.secret:
        return api.ClientTLSSettings(mode="MUTUAL", credentialName=own.secret, subjectAltNames=[host], sni=host)
    return api.ClientTLSSettings(
        mode="MUTUAL" if own else "SIMPLE",
        clientCertificate=own.certificate if own else None,
        privateKey=own.key if own else None,
        caCertificates=authorities or None,
        subjectAltNames=checked,
        sni=host,
    )
