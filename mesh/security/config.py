"""The config key `mesh:security`: its type, and the Istio objects that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mesh.core.typed import Documented
from mesh.security import authorization, jwt, mtls
from mesh.security.authorization import Authorization, BookinfoRoutes
from mesh.security.jwt import Jwt
from mesh.security.mtls import Mtls
from mesh.traffic.context import StackContext
from mesh.traffic.ingress import Ingress
from mesh.traffic.objects import ConfigObject

ROOT = "security"
"""The config key, without the prefix `mesh:`."""


class Security(Documented):
    """Mutual TLS, authorization and JSON Web Tokens."""

    mtls: Mtls = Mtls()
    """Mutual TLS that workloads require of clients: a mode for the whole mesh, or a map."""
    authorization: Authorization = Authorization()
    """Which workloads may call which; no restriction if not set."""
    jwt: Jwt | None = None
    """JSON Web Tokens that a gateway requires of clients; none if not set."""

    def __bool__(self) -> bool:
        return self != Security()


def parts(
    security: Security,
    stack: StackContext,
    denied_namespaces: Sequence[str],
    routes: BookinfoRoutes | None,
    hosts: Mapping[str, Ingress],
) -> Iterator[tuple[str, Iterator[ConfigObject]]]:
    """The key of each part, with an iterator over its Istio objects. The iterator raises ApiError for an object that
    cannot be made. `denied_namespaces` and `routes` are those of `authorization.objects`; `hosts` is
    `mesh:traffic.hosts`."""
    yield mtls.PATH, mtls.objects(security.mtls, stack)
    yield (
        authorization.PATH,
        authorization.objects(security.authorization, stack, denied_namespaces, routes),
    )
    if security.jwt:
        yield jwt.PATH, jwt.objects(security.jwt, stack, hosts)
