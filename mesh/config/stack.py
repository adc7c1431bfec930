"""A stack's config, compiled: its settings, the objects that they become, and the keys that those come from.

Everybody who wants to know what a stack means reads a `Stack`: the program, the commands and the tests. It is made once
for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mesh import bookinfo
from mesh.analysis.objects import Object, Ref
from mesh.config import consistency, installation, productpage
from mesh.config.productpage import ProductPage
from mesh.config.settings import NAMESPACE, Settings, SettingsError
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import ROOT
from mesh.releases.release import Installation
from mesh.security import config as security
from mesh.traffic import config as traffic
from mesh.traffic import ingress, limiting
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.objects import ConfigObject, make


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What a stack's config comes down to."""

    settings: Settings
    traffic: Sequence[ConfigObject]
    """The objects of `mesh:traffic`."""
    security: Sequence[ConfigObject]
    """The objects of `mesh:security`."""
    rate_limits: Sequence[Mapping[str, Any]]
    """Descriptors for the rate-limit service; without any, the stack does not need it."""
    product_page: ProductPage | None
    """Where a browser finds Bookinfo's product page; None without Bookinfo or a way in."""

    def with_origins(self, objects: Iterable[Object]) -> list[Object]:
        """The objects, each with the most exact key of the config that it is known to come from."""
        return [self._with_origin(thing) for thing in objects]

    def _with_origin(self, thing: Object) -> Object:
        ref = thing.ref
        if item := self._made.get(ref):
            return replace(thing, origin=f"{NAMESPACE}:{item.path}", keys=item.keys)
        if ref.kind == kinds.NAMESPACE and not thing.origin and ref.name in self._namespace_keys:
            return replace(thing, origin=f"{NAMESPACE}:{self._namespace_keys[ref.name]}")
        return thing

    @cached_property
    def installation(self) -> Installation:
        """The control plane that the settings describe, with its release."""
        return installation.of(self.settings)

    @cached_property
    def _made(self) -> Mapping[Ref, ConfigObject]:
        return {
            Ref(GroupKind(item.body.kind, item.body.names.group), item.namespace, item.name): item
            for item in (*self.traffic, *self.security)
        }

    @cached_property
    def _namespace_keys(self) -> Mapping[str, str]:
        keys = ("injectedNamespaces", "namespaces")
        return {name: f"{key}.{name}" for key in keys for name in getattr(self.settings, key)}


def compiled(settings: Settings, problems: Sequence[str] = ()) -> Stack:
    """The stack of these settings. Raises SettingsError with all that is wrong, and with `problems`, which were found
    before."""
    context = _context(settings)
    of_traffic, wrong_traffic = make(traffic.parts(settings.traffic, context))
    closed = list(settings.injectedNamespaces)
    of_security, wrong_security = make(security.parts(settings.security, context, closed, _ways_in(settings)))
    contradictions = consistency.problems(settings, context.namespace, of_traffic)
    if found := [*problems, *contradictions, *wrong_traffic, *wrong_security]:
        raise SettingsError("\n".join(found))
    return Stack(
        settings=settings,
        traffic=of_traffic,
        security=of_security,
        rate_limits=limiting.descriptors(settings.traffic.services, settings.traffic.hosts),
        product_page=productpage.find(settings, of_traffic),
    )


def _context(settings: Settings) -> StackContext:
    injected = list(settings.injectedNamespaces)
    only = injected[0] if len(injected) == 1 else None
    gateways = {
        name: GatewayRef(
            name=name,
            namespace=spec.namespace or ROOT,
            selector=spec.selector(name),
            ports=frozenset(port.port for port in spec.ports),
            account=spec.service_account(name),
        )
        for name, spec in settings.gateways.items()
        if spec.enabled
    }
    return StackContext(
        namespace=settings.bookinfo.namespace if settings.bookinfo else only,
        namespaces=frozenset([ROOT, *settings.ownership]),
        gateways=gateways,
        root=ROOT,
        domain=settings.global_.proxy.clusterDomain,
        trust_domain=settings.meshConfig.trustDomain or "cluster.local",
        client_tls=settings.security.mtls.mesh == "STRICT" and settings.meshConfig.enableAutoMtls is False,
        rate_limit_namespace=settings.rateLimit.namespace or ROOT,
        rate_limit_required=settings.rateLimit.whenUnreachable == "deny",
    )


def _ways_in(settings: Settings) -> dict[str, list[str]] | None:
    """The gateways that lead to each of Bookinfo's services; None without Bookinfo."""
    if not settings.bookinfo:
        return None
    found = {service: set[str]() for service in bookinfo.CALLERS}
    if settings.bookinfo.gateway:
        found[bookinfo.PRODUCT_PAGE].add(ingress.GATEWAY)
    for entry in settings.traffic.hosts.values():
        for receiver in (one for route in entry.routes for one in route.to):
            listed = settings.traffic.services.get(receiver.service)
            host = listed.called(receiver.service) if listed else receiver.service
            service, _, rest = host.partition(".")
            if service in found and (not rest or rest.split(".")[0] == settings.bookinfo.namespace):
                found[service].add(entry.gateway)
    return {service: sorted(gateways) for service, gateways in found.items()}
