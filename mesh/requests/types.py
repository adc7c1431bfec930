"""Requests, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qsl


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request as a client sends it."""

    host: str
    """The Host header, without a port."""
    path: str = "/"
    """With the query, if there is one."""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    port: int = 80
    """Port that it is addressed to: of the service, or of the gateway's Service."""
    secure: bool = False
    """Whether the client speaks https, as far as a gateway is concerned."""
    subject: str = ""
    """Who the request's token says that it is from, as issuer/subject; empty without a token."""
    address: str = ""
    """IP address of the client; empty if nobody knows."""

    @property
    def url_path(self) -> str:
        """The path without the query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))

    def changed(self, path: str | None, host: str | None) -> Self:
        """The request after a rewrite."""
        return replace(self, path=path or self.path, host=host or self.host)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is played to a share of the requests."""

    share: float
    """0.0 to 1.0 of the requests."""
    delay: str = ""
    """How long they are held back, such as 7s."""
    status: int = 0
    """Status code that they are answered with in place of being passed on."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Who gets a share of the requests, and what the receiver's own proxy says to it."""

    host: str
    """Whole name of the service."""
    subset: str
    """Empty for all of its pods."""
    share: float
    """0.0 to 1.0 of the requests that are passed on."""
    workloads: tuple[str, ...]
    """Names of what the pods are made by."""
    port: int | None
    status: int = 200
    """200 if the request gets to a pod; otherwise 403 or 503, for the `reason`."""
    reason: str = ""
    """Why it does not get there."""
    mutual: bool = False
    """Whether it goes there over Istio's mutual TLS."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What becomes of a request at one hop: an answer, or receivers."""

    status: int = 200
    """The answer where there are no receivers: 301 to 399, 403, 404, 502; 0 if no connection comes about."""
    reason: str = ""
    """Why there are no receivers."""
    rule: str = ""
    """The route that decides, such as `VirtualService shop/cart http[0]`; empty if no VirtualService does."""
    location: str = ""
    """Where a redirect leads to."""
    receivers: tuple[Receiver, ...] = ()
    faults: tuple[Fault, ...] = ()
    mirror: Receiver | None = None
    """Who gets copies; `share` is that of the copies."""
    timeout: str = ""
    """Such as 10s; empty for no limit."""
    attempts: int = 0
    """How often a request that has failed is tried again."""
    request: Request | None = None
    """The request as receivers get it."""
