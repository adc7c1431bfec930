"""`mesh:security.authorization`: AuthorizationPolicies that deny by default and allow clients by their identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from mesh import api, bookinfo
from mesh.api import http_text
from mesh.api.names import Selector, is_label
from mesh.api.scalars import Text as NotEmpty
from mesh.core.errors import show
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Documented, Findings
from mesh.traffic.context import StackContext
from mesh.traffic.matching import Method
from mesh.traffic.objects import ConfigObject

PATH: Final = "security.authorization"


def _account(text: str) -> str:
    if not all(is_label(part) for part in text.split("/")) or text.count("/") > 1:
        raise ValueError(f"{show(text)} is not a service account: write name, or namespace/name")
    return text


def _path(text: str) -> str:
    if problem := http_text.pattern(text):
        raise ValueError(problem)
    return text


PathPattern = Annotated[NotEmpty, AfterValidator(_path)]
"""A path, exact or with `*` at the start or end."""


class Allow(Documented):
    """Requests that are allowed: those of any client in `accounts`, `gateways` or `namespaces` that also match
    `methods`, `paths` and `ports`."""

    workload: Selector = Field(min_length=1)
    """Labels of the pods that may be called; a pod must have all of them."""
    namespace: Name | None = None
    """Namespace of those pods; if not set, Bookinfo's, or the only injected namespace."""
    accounts: list[Annotated[str, AfterValidator(_account)]] = []
    """Service accounts of clients: `name` in the same namespace, or `namespace/name`."""
    gateways: list[Name] = []
    """Gateways of the stack that may call."""
    namespaces: list[Name] = []
    """Namespaces all of whose workloads may call."""
    methods: list[Method] = []
    """HTTP methods; any if empty."""
    paths: list[PathPattern] = []
    """Paths, exact or with `*` at the start or end; any if empty."""
    ports: list[PortNumber] = []
    """Ports of the pods, by number; any if empty."""

    def check(self) -> Findings:
        if not (self.accounts or self.gateways or self.namespaces):
            yield (), "needs accounts, gateways or namespaces: who may call"


class Authorization(Documented):
    """Which workloads may call which."""

    defaultDeny: bool = False
    """Whether workloads in the injected namespaces deny every request that no policy allows."""
    bookinfo: bool = True
    """Only with `defaultDeny`: whether Bookinfo's services may call each other as the application needs, and gateways
    may call the services that they route to."""
    allow: dict[Name, Allow] = {}
    """Further requests that are allowed, by a name of your choice. The name of a Bookinfo service replaces the rule of
    that service."""


@dataclass(frozen=True, kw_only=True)
class BookinfoRoutes:
    """What `mesh:traffic` adds to the callers of Bookinfo's services."""

    gateways: Mapping[str, Sequence[str]]
    """The gateways that route or mirror requests to each service."""
    mirrored: Mapping[str, Sequence[str]]
    """The services whose requests are mirrored to each service: its callers get theirs, too."""


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
        yield _allowed(path, name, allow, stack)
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


def _allowed(path: str, name: str, allow: Allow, stack: StackContext) -> ConfigObject:
    namespace = stack.namespace_for(allow.namespace)
    refs = [stack.gateway(gateway) for gateway in allow.gateways]
    names = [one if "/" in one else f"{namespace}/{one}" for one in allow.accounts]
    names += [f"{ref.namespace}/{ref.service_account}" for ref in refs]
    principals = [f"{stack.trust_domain}/ns/{home}/sa/{who}" for home, who in (one.split("/") for one in names)]
    sources = [api.Source(principals=principals)] if principals else []
    sources += [api.Source(namespaces=allow.namespaces)] if allow.namespaces else []
    operation = (
        api.Operation(
            methods=[str(method) for method in allow.methods] or None,
            paths=allow.paths or None,
            ports=list(map(str, allow.ports)) or None,
        )
        if allow.methods or allow.paths or allow.ports
        else None
    )
    rule = api.Rule(
        from_=[api.From(source=source) for source in sources],
        to=[api.To(operation=operation)] if operation else None,
    )
    body = api.AuthorizationPolicy(
        selector=api.PolicySelector(matchLabels=allow.workload), action="ALLOW", rules=[rule]
    )
    return ConfigObject(path=path, body=body, name=name, namespace=namespace)
