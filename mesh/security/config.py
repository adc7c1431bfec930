"""`mesh:security`: its parts, and their defaults."""

from __future__ import annotations

from mesh.core.typed import Documented
from mesh.security.access import Authorization
from mesh.security.mtls import Mtls
from mesh.security.tokens import Jwt


class Security(Documented):
    """Mutual TLS, who may call whom, and tokens of users."""

    mtls: Mtls = Mtls()
    """Mutual TLS that workloads ask of their callers."""
    authorization: Authorization = Authorization()
    """Who may call whom."""
    jwt: Jwt | None = None
    """Tokens that a gateway asks visitors for."""

    def __bool__(self) -> bool:
        return self != Security()
