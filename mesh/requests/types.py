"""HTTP requests and their outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self
from urllib.parse import parse_qsl

PRINCIPAL_CLAIMS: Final = ("iss", "sub")
"""The claims that make up a request principal, separated by a slash."""
FORWARDED: Final = "x-forwarded-proto"
"""The header in which a load balancer reports the scheme that the client uses."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request as a client sends it."""

    host: str
    """The Host header, without a port."""
    host_alone: bool = False
    """Whether a proxy has set the Host header, which then has no port."""
    path: str = "/"
    """Path, with the query if there is one."""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header values by name. Case of names does not count."""
    port: int = 80
    """Port of the called service, or of the gateway's Service."""
    secure: bool = False
    """Whether the client uses https; only gateways consider it."""
    forwarded_https: bool = False
    """Whether the client uses https to a load balancer in front of the gateway, and the gateway trusts its headers."""
    principal: str = ""
    """Request principal of the JSON Web Token, as issuer/subject; empty without a token."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """Other claims of the token, by name; a nested one is `outer[inner]`."""
    address: str = ""
    """IP address of the client; empty if unknown."""

    @property
    def authority(self) -> str:
        """The Host header as clients send it: with the port, unless it is the usual one of the scheme."""
        usual = self.port == (443 if self.secure else 80)
        return self.host if usual or self.host_alone else f"{self.host}:{self.port}"

    @property
    def scheme(self) -> str:
        """The scheme of the URL that the client asks for."""
        return "https" if self.secure or self.forwarded_https else "http"

    def header(self, name: str) -> str | None:
        """The value of a header, given by its lower-case name; None if it is missing."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)

    def claim(self, name: str) -> str | None:
        """The value of a claim of the token; None if the token does not have it."""
        issuer, _, subject = self.principal.rpartition("/")
        return {**dict(zip(PRINCIPAL_CLAIMS, (issuer, subject), strict=True)), **self.claims}.get(name) or None

    @property
    def url_path(self) -> str:
        """The path without the query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))

    def changed(self, operations: Mapping[str, Any]) -> Self:
        """The request after operations on its headers: `set`, `add` and `remove`, as in Istio's HeaderOperations."""
        if not operations:
            return self
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers |= {name.lower(): value for name, value in (operations.get("set") or {}).items()}
        for name, value in (operations.get("add") or {}).items():
            before = headers.get(name.lower())
            headers[name.lower()] = value if before is None else f"{before},{value}"
        gone = {name.lower() for name in operations.get("remove") or ()}
        return replace(self, headers={name: value for name, value in headers.items() if name not in gone})

    def rewritten(self, path: str | None, host: str | None) -> Self:
        """The request with a new path and host; None keeps the present one."""
        if not (path or host):
            return self
        return replace(self, path=path or self.path, host=host or self.host, host_alone=bool(host) or self.host_alone)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An injected fault: a delay or an abort of a share of the requests."""

    share: float
    """Fraction of the requests, 0.0 to 1.0."""
    delay: str = ""
    """Duration of the delay, such as `7s`; empty if the fault is an abort."""
    status: int = 0
    """Status code of the abort; 0 if the fault is a delay."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A destination that gets a share of the requests, and whether its pods accept them."""

    host: str
    """Full name of the service."""
    subset: str
    """Subset of the service; empty for all of its pods."""
    share: float
    """Fraction of the forwarded requests, 0.0 to 1.0."""
    workloads: tuple[str, ...]
    """Names of the workloads (Deployments, for example) of the pods."""
    port: int | None
    """Port of the service; None if the mesh does not know the service."""
    status: int = 200
    """200 if the request reaches a pod; 403 or 503 if not, or 0 if no connection is made. `reason` says why."""
    reason: str = ""
    """Why the request does not reach a pod; empty if it does."""
    mutual: bool = False
    """Whether the connection uses Istio's mutual TLS."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a request at one hop: a response of the proxy, or the destinations that it forwards to."""

    status: int = 200
    """Status code of the proxy's response where there are no receivers: 301 to 399, 403, 404, 502; 0 if no connection
    is made; 200 if the request leaves the mesh."""
    reason: str = ""
    """Why there are no receivers."""
    rule: str = ""
    """The route that takes the request, such as `VirtualService shop/cart http[0]`; empty if none does."""
    route: str = ""
    """The name of that route; empty if it has none."""
    location: str = ""
    """URL of a redirect."""
    receivers: tuple[Receiver, ...] = ()
    faults: tuple[Fault, ...] = ()
    mirrors: tuple[Receiver, ...] = ()
    """Destinations of copies. The `share` of each is the fraction of requests copied to it."""
    timeout: str = ""
    """Timeout of the route, such as `10s`; empty if there is none."""
    attempts: int = 0
    """Number of retries of a failed request."""
    request: Request | None = None
    """The request as the destinations get it, after rewriting."""
