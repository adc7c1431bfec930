"""Who may call whom: nothing is allowed but what is said, by the callers' identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from mesh import api, bookinfo
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


class Allow(Documented):
    """Calls that are allowed. Several kinds of callers add up; of what is asked for, everything that is set must
    hold."""

    workload: Selector = Field(min_length=1)
    """Labels of the pods that are called, all of them."""
    namespace: Name | None = None
    """Their namespace; Bookinfo's, or the only injected one if not set."""
    accounts: list[Annotated[str, AfterValidator(_account)]] = []
    """Service accounts of callers: `name` in the same namespace, or `namespace/name`."""
    gateways: list[Name] = []
    """The stack's gateways that may call."""
    namespaces: list[Name] = []
    """Namespaces whose workloads may all call."""
    methods: list[Method] = []
    """Methods; any if empty."""
    paths: list[NotEmpty] = []
    """Paths, with `*` at the start or end; any if empty."""
    ports: list[PortNumber] = []
    """Ports of the pods; any if empty."""

    def check(self) -> Findings:
        if not (self.accounts or self.gateways or self.namespaces):
            yield (), "needs accounts, gateways or namespaces: who may call"


class Authorization(Documented):
    """Who may call whom."""

    defaultDeny: bool = False
    """Whether workloads of the injected namespaces refuse every call that nothing allows."""
    bookinfo: bool = True
    """With `defaultDeny`: whether Bookinfo's services may call each other as they need to, and gateways those to which
    they have routes."""
    allow: dict[Name, Allow] = {}
    """Further calls that are allowed, by a name of your choice; that of one of Bookinfo's services replaces its own."""


def objects(
    authorization: Authorization,
    stack: StackContext,
    closed: Sequence[str],
    ways_in: Mapping[str, Sequence[str]] | None,
) -> Iterator[ConfigObject]:
    """AuthorizationPolicies. `closed` are the namespaces where nothing is allowed otherwise; `ways_in` the gateways
    that lead to each of Bookinfo's services, or None where it is not installed. Raises ApiError."""
    needed = _bookinfo(ways_in) if authorization.defaultDeny and authorization.bookinfo and ways_in is not None else {}
    for name, allow in {**needed, **authorization.allow}.items():
        path = f"{PATH}.allow.{name}" if name in authorization.allow else f"{PATH}.bookinfo"
        yield _allowed(path, name, allow, stack)
    for namespace in closed if authorization.defaultDeny else ():
        body = api.AuthorizationPolicy()
        # All that lets callers in is below this path, and so comes first.
        yield ConfigObject(path=PATH, body=body, name=f"{namespace}-default-deny", namespace=namespace, late=True)


def _bookinfo(ways_in: Mapping[str, Sequence[str]]) -> dict[str, Allow]:
    """What Bookinfo needs, by service; nothing for a service that nobody calls."""
    callers = {
        name: (list(map(bookinfo.service_account, who)), list(ways_in.get(name, ())))
        for name, who in bookinfo.CALLERS.items()
    }
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
    names += [f"{ref.namespace}/{ref.account}" for ref in refs]
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
