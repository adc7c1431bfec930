"""A compiled stack: its settings, the Istio objects that follow from them, and the config key of each object.

The program, the commands and the policy pack compile a stack once (`mesh.config.loading.load`) and read the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from mesh import bookinfo
from mesh.analysis import hosts
from mesh.analysis.objects import Object, Ref
from mesh.apps import objects as apps
from mesh.apps.item import AppObject, place
from mesh.apps.needs import pods_in
from mesh.apps.objects import Apps, Project
from mesh.config import consistency, productpage, served, tokens
from mesh.config.productpage import ProductPage
from mesh.config.settings import NAMESPACE, Settings, SettingsError
from mesh.core import kinds
from mesh.core.names import DEFAULT_TRUST_DOMAIN
from mesh.patches import origins as patches
from mesh.proxy import InjectionError
from mesh.releases import manual
from mesh.releases.release import Installation
from mesh.security import config as security
from mesh.security.authorization import BookinfoRoutes
from mesh.traffic import config as traffic
from mesh.traffic import ingress, rate_limit_filters
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.objects import ConfigObject, make

PROJECT: Final = Path(__file__).resolve().parents[2]
"""The folder that paths of files in a stack's config are relative to."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The settings of a stack and what is compiled from them."""

    settings: Settings
    apps: Apps
    """The objects of `mesh:apps` and `mesh:objects`."""
    traffic: Sequence[ConfigObject]
    """The objects of `mesh:traffic`."""
    security: Sequence[ConfigObject]
    """The objects of `mesh:security`."""
    rate_limits: Sequence[Mapping[str, Any]]
    """Descriptors of the rate-limit service's config; empty if the stack does not need the service."""
    product_page: ProductPage | None
    """Where Bookinfo's product page is served; None without Bookinfo, or if no gateway routes to it."""

    def with_origins(self, objects: Iterable[Object]) -> list[Object]:
        """The objects, each with the most specific config key that it comes from as its `origin`."""
        return [self._with_origin(item) for item in objects]

    def _with_origin(self, item: Object) -> Object:
        ref = item.ref
        if ref not in self._of_apps:
            item = replace(item, patched=patches.of(self.settings.patches, item))
        if source := self._compiled.get(ref):
            return replace(item, origin=f"{NAMESPACE}:{source.path}", keys=source.keys)
        if ref in self._of_apps:
            made = self._of_apps[ref]
            return replace(item, origin=made.key, written=partial(place, made.source) if made.in_file else None)
        if ref.kind == kinds.NAMESPACE and not item.origin and ref.name in self._namespace_keys:
            return replace(item, origin=f"{NAMESPACE}:{self._namespace_keys[ref.name]}")
        return item

    @cached_property
    def installations(self) -> Mapping[str, Installation]:
        """The control planes of the stack by revision: first the one of its own keys, then the further ones."""
        return self.settings.installations

    @property
    def installation(self) -> Installation:
        """The control plane of the stack's own keys: its release with its values."""
        return next(iter(self.installations.values()))

    @cached_property
    def _compiled(self) -> Mapping[Ref, ConfigObject]:
        return {item.ref: item for item in (*self.traffic, *self.security)}

    @cached_property
    def _of_apps(self) -> Mapping[Ref, AppObject]:
        return {item.ref: item for item in self.apps.objects}

    def written(self, ref: Ref, key: str) -> str:
        """Where an object of a component with this config key is written: file and line, or the most specific key."""
        if ref in self._of_apps and self._of_apps[ref].key.startswith(key):
            return self._of_apps[ref].source.place()
        if ref in self._compiled and self._compiled[ref].path.startswith(key.removeprefix(f"{NAMESPACE}:")):
            return f"{NAMESPACE}:{self._compiled[ref].path}"
        return key

    @cached_property
    def _namespace_keys(self) -> Mapping[str, str]:
        keys = ("injectedNamespaces", "namespaces")
        return {name: f"{key}.{name}" for key in keys for name in getattr(self.settings, key)}


def compiled(settings: Settings, problems: Sequence[str] = ()) -> Stack:
    """Compiles the settings. Raises SettingsError with all problems, among them `problems`, which the caller has
    found."""
    of_apps, wrong_apps = apps.of_apps(settings.apps, settings.objects, _project(settings))
    context = _context(settings, of_apps)
    of_traffic, wrong_traffic = make(traffic.parts(settings.traffic, context))
    denied_namespaces = list(settings.injectedNamespaces)
    of_security, wrong_security = make(
        security.parts(
            settings.security,
            context,
            denied_namespaces,
            _bookinfo_routes(settings),
            settings.traffic.hosts,
        )
    )
    contradictions = consistency.problems(settings, context, of_traffic)
    unserved = served.of_objects(settings, [*of_traffic, *of_security])
    unproven = tokens.unproven(settings, of_apps.objects)
    if found := [
        *problems,
        *contradictions,
        *wrong_apps,
        *_not_injected(settings, of_apps),
        *unproven,
        *wrong_traffic,
        *wrong_security,
        *unserved,
    ]:
        raise SettingsError("\n".join(found))
    return Stack(
        settings=settings,
        apps=of_apps,
        traffic=of_traffic,
        security=of_security,
        rate_limits=rate_limit_filters.descriptors(settings.traffic.services, settings.traffic.hosts),
        product_page=productpage.find(settings, of_traffic),
    )


def _context(settings: Settings, of_apps: Apps) -> StackContext:
    injected = list(settings.injectedNamespaces)
    only = injected[0] if len(injected) == 1 else None
    gateways = {
        name: GatewayRef(
            name=name,
            namespace=spec.namespace or settings.root,
            selector=spec.selector(name),
            ports=frozenset(port.port for port in spec.ports),
            pod_ports=frozenset(port.targetPort or port.port for port in spec.ports),
            service_account=spec.service_account(name),
        )
        for name, spec in settings.gateways.items()
        if spec.enabled
    }
    return StackContext(
        namespace=settings.bookinfo.namespace if settings.bookinfo else only,
        services=_homes(settings, of_apps),
        several_ports=frozenset(_with_several_ports(settings, of_apps)),
        namespaces=frozenset([settings.root, *settings.ownership]),
        gateways=gateways,
        root_namespace=settings.config_root,
        cluster_domain=settings.global_.proxy.clusterDomain,
        trust_domain=settings.meshConfig.trustDomain or DEFAULT_TRUST_DOMAIN,
        client_tls=settings.security.mtls.mesh == "STRICT" and settings.meshConfig.enableAutoMtls is False,
        rate_limit_namespace=settings.rateLimit.namespace or settings.root,
        rate_limit_required=settings.rateLimit.whenUnreachable == "deny",
    )


def _not_injected(settings: Settings, of_apps: Apps) -> Iterator[str]:
    """The workloads of apps that cannot get a sidecar by manual injection."""
    for item in of_apps.objects:
        injected = settings.injectedNamespaces.get(item.ref.namespace)
        if injected and injected.injection == "manual" and any(pods_in(item.body)):
            try:
                manual.with_sidecar(settings.control_plane_of(injected.revision), item.body)
            except InjectionError as error:
                way = f"or set mesh:injectedNamespaces.{item.ref.namespace}.injection to auto"
                yield f"{item.source.place()}: {item.ref}: manual injection refuses it: {error}; correct that, {way}"


def _homes(settings: Settings, of_apps: Apps) -> Mapping[str, str]:
    """The namespace of each Service of the apps whose name no other app and not Bookinfo has."""
    found: dict[str, list[str]] = {}
    for item in of_apps.objects:
        if item.ref.kind == kinds.SERVICE:
            found.setdefault(item.ref.name, []).append(item.ref.namespace)
    taken = bookinfo.CALLERS if settings.bookinfo else ()
    return {name: homes[0] for name, homes in found.items() if len(homes) == 1 and name not in taken}


def _with_several_ports(settings: Settings, of_apps: Apps) -> Iterator[str]:
    """The full hosts of the apps' Services that have several ports."""
    for item in of_apps.objects:
        if item.ref.kind == kinds.SERVICE and len((item.body.get("spec") or {}).get("ports") or ()) > 1:
            yield hosts.full_name(item.ref.name, item.ref.namespace, settings.global_.proxy.clusterDomain)


def _project(settings: Settings) -> Project:
    return Project(
        root=PROJECT,
        release=settings.release,
        namespaces={settings.root: "create", **settings.ownership},
        injected=settings.injectedNamespaces.keys(),
    )


def _bookinfo_routes(settings: Settings) -> BookinfoRoutes | None:
    """The settings of `mesh:traffic` for Bookinfo's services; None without Bookinfo."""
    if not settings.bookinfo:
        return None
    gateways = {service: set[str]() for service in bookinfo.CALLERS}
    mirrored = {service: set[str]() for service in bookinfo.CALLERS}
    if settings.bookinfo.gateway:
        gateways[bookinfo.PRODUCT_PAGE].add(ingress.DEFAULT_GATEWAY)
    for entry in settings.traffic.hosts.values():
        for route in entry.routes:
            copies = [route.mirror.service] if route.mirror and route.mirror.service else []
            for receiver in (*(one.service for one in route.to), *copies):
                if service := _of_bookinfo(receiver, settings):
                    gateways[service].add(entry.gateway)
    for name, called in settings.traffic.services.items():
        source = _of_bookinfo(name, settings)
        for mirror in (part.mirror for part in (called, *called.rules)):
            if source and mirror and mirror.service and (service := _of_bookinfo(mirror.service, settings)):
                mirrored[service].add(source)
    return BookinfoRoutes(
        gateways={service: sorted(found) for service, found in gateways.items()},
        mirrored={service: sorted(found) for service, found in mirrored.items()},
    )


def _of_bookinfo(name: str, settings: Settings) -> str:
    """The service of Bookinfo that a name in `mesh:traffic.services`, or a host, stands for; empty if it is none."""
    listed = settings.traffic.services.get(name)
    service, _, rest = (listed.host_name(name) if listed else name).partition(".")
    home = rest.split(".")[0] if rest else listed.namespace if listed else None
    ours = settings.bookinfo is not None and home in (None, settings.bookinfo.namespace)
    return service if ours and service in bookinfo.CALLERS else ""
