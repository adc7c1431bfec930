"""`mesh:security`: its parts, and their defaults."""

from __future__ import annotations

from components.security.access import Authorization
from components.security.mtls import Mtls
from components.security.tokens import Jwt
from components.typed import Documented


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
