"""`mesh:security.authorization`: AuthorizationPolicies that deny by default and allow clients by their identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mesh import api, bookinfo
from mesh.api.scalars import Text as NotEmpty
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings
from mesh.security import access
from mesh.security.access import Access, PathPattern, Requested
from mesh.traffic.context import StackContext
from mesh.traffic.objects import ConfigObject

PATH: Final = "security.authorization"
Action = Literal["ALLOW", "DENY", "CUSTOM"]


class Allow(Access):
    """Requests that are allowed."""

    def check(self) -> Findings:
        yield from super().check()
        if not self.names_callers:
            yield (), "needs accounts, gateways or namespaces, or addresses or claims: who may call"


class Deny(Access):
    """Requests that are denied, whatever else allows them."""

    def check(self) -> Findings:
        yield from super().check()
        if not self.names_callers and not (self.hosts or self.methods or self.paths or self.ports):
            yield (), "would deny every request: say whose (accounts, ipBlocks, …) or which (paths, methods, …)"


class Custom(Requested):
    """Requests about which an external authorizer decides, before other rules. It is asked before the client's
    identity is known."""

    provider: NotEmpty
    """Name of the authorizer: one of `mesh:meshConfig.extensionProviders` with `envoyExtAuthzHttp` or
    `envoyExtAuthzGrpc`."""
    public: list[PathPattern] = []
    """Paths for which the authorizer is not asked, exact or with `*` at the start or end."""


class Authorization(Documented):
    """Rules for which workloads may call which others."""

    defaultDeny: bool = False
    """Whether workloads in the injected namespaces deny every request that no policy allows."""
    bookinfo: bool = True
    """Only with `defaultDeny`: whether Bookinfo's services may call each other as the application needs, and gateways
    may call the services that they route to."""
    allow: dict[Name, Allow] = {}
    """Further requests that are allowed, by a name of your choice. The name of a Bookinfo service replaces the rule of
    that service."""
    deny: dict[Name, Deny] = {}
    """Requests that are denied, whatever else allows them, by a name of your choice."""
    custom: dict[Name, Custom] = {}
    """Requests about which an external authorizer decides, by a name of your choice."""


@dataclass(frozen=True, kw_only=True)
class BookinfoRoutes:
    """What `mesh:traffic` adds to the callers of Bookinfo's services."""

    gateways: Mapping[str, Sequence[str]]
    """The gateways that route or mirror requests to each service."""
    mirrored: Mapping[str, Sequence[str]]
    """By service, the services whose requests are mirrored to it: their callers may also call it."""


def objects(
    authorization: Authorization,
    stack: StackContext,
    denied_namespaces: Sequence[str],
    routes: BookinfoRoutes | None,
) -> Iterator[ConfigObject]:
    """The AuthorizationPolicies. `denied_namespaces`: those that `defaultDeny` applies to. `routes`: None if Bookinfo
    is not installed. Raises ApiError if a namespace or a gateway is not the stack's."""
    needed = _bookinfo(routes) if authorization.defaultDeny and authorization.bookinfo and routes is not None else {}
    for name, allow in {**needed, **authorization.allow}.items():
        path = f"{PATH}.allow.{name}" if name in authorization.allow else f"{PATH}.bookinfo"
        yield _policy(path, name, "ALLOW", allow, stack)
    for name, deny in authorization.deny.items():
        yield _policy(f"{PATH}.deny.{name}", name, "DENY", deny, stack)
    for name, custom in authorization.custom.items():
        yield _policy(f"{PATH}.custom.{name}", name, "CUSTOM", custom, stack)
    for namespace in denied_namespaces if authorization.defaultDeny else ():
        body = api.AuthorizationPolicy()
        # The keys of all policies that allow requests are below this one, so those are created first.
        yield ConfigObject(path=PATH, body=body, name=f"{namespace}-default-deny", namespace=namespace, late=True)


def _bookinfo(routes: BookinfoRoutes) -> dict[str, Allow]:
    """The rules that Bookinfo needs, by service; none for a service that has no callers."""
    callers: dict[str, tuple[list[str], list[str]]] = {}
    for name, own in bookinfo.CALLERS.items():
        who = [*own, *(caller for other in routes.mirrored.get(name, ()) for caller in bookinfo.CALLERS[other])]
        accounts = [bookinfo.service_account(caller) for caller in dict.fromkeys(who)]
        callers[name] = accounts, list(routes.gateways.get(name, ()))
    return {
        name: Allow(
            workload={"app": name},
            accounts=accounts,
            gateways=gateways,
            methods=[*bookinfo.METHODS.get(name, ("GET",))],
        )
        for name, (accounts, gateways) in callers.items()
        if accounts or gateways
    }


def _policy(path: str, name: str, action: Action, meant: Requested, stack: StackContext) -> ConfigObject:
    selector, namespace = meant.place(stack)
    custom = meant if isinstance(meant, Custom) else None
    body = api.AuthorizationPolicy(
        selector=selector,
        action=action,
        provider=api.ExtensionProvider(name=custom.provider) if custom else None,
        rules=[access.rule(meant, stack, **({"notPaths": list(custom.public)} if custom else {}))],
    )
    return ConfigObject(path=path, body=body, name=name, namespace=namespace, late=action != "ALLOW")
