"""`mesh:security`: its parts, their defaults, and the objects that they become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mesh.core.typed import Documented
from mesh.security import access, mtls, tokens
from mesh.security.access import Authorization
from mesh.security.mtls import Mtls
from mesh.security.tokens import Jwt
from mesh.traffic.context import StackContext
from mesh.traffic.objects import ConfigObject

ROOT = "security"
"""The key in a stack's config."""


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


def parts(
    security: Security, stack: StackContext, closed: Sequence[str], ways_in: Mapping[str, Sequence[str]] | None
) -> Iterator[tuple[str, Iterator[ConfigObject]]]:
    """Each part's key, and the objects that it becomes, which raise ApiError as they are made.

    `closed` and `ways_in` are as for `access.objects`."""
    yield mtls.PATH, mtls.objects(security.mtls, stack)
    yield access.PATH, access.objects(security.authorization, stack, closed, ways_in)
    if security.jwt:
        yield tokens.PATH, tokens.objects(security.jwt, stack)
