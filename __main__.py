"""The mesh, in the order in which it is installed."""

# ruff: noqa: E402 - the engine reads the state while Python loads the rest
from engine import state

recorded = state.ask()

from functools import partial

import pulumi

from components import meshconfig
from components.addons.install import AddonsArgs, install
from components.addons.jaeger import Jaeger
from components.base import Base, BaseArgs
from components.bookinfo import Bookinfo, BookinfoArgs
from components.cni import Cni, CniArgs
from components.gateways import Gateway, GatewayArgs
from components.istiod import Istiod, IstiodArgs
from components.namespaces import Namespaces, NamespacesArgs
from components.ratelimit import RateLimit, RateLimitArgs
from components.remote import Remote, RemoteArgs
from components.security import Security
from components.traffic import Traffic, TrafficArgs
from engine import gate, program
from mesh.config import installation, productpage, security, traffic
from mesh.config.settings import INGRESS
from mesh.core.names import ROOT

settings, cluster = program.prepare(ROOT, recorded)
mesh = installation.of(settings)
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)

base = Base("base", BaseArgs(mesh=mesh, mark=cluster.mark, keep=settings.keepDefinitions), on_cluster)

control_planes: list[Istiod | Remote] = []
if settings.pilot.enabled:
    istiod = Istiod("istiod", IstiodArgs(mesh=mesh, base=base, gate=settings.injectionGate), on_cluster)
    control_planes.append(istiod)
if settings.istiodRemote.enabled:
    remote = Remote("remote", RemoteArgs(mesh=mesh, base=base, gate=settings.injectionGate), on_cluster)
    control_planes.append(remote)

serving = [resource for plane in control_planes for resource in plane.serving]

namespaces = Namespaces(
    "namespaces",
    NamespacesArgs(
        injected=settings.injectedNamespaces,
        others=settings.namespaces,
        label=mesh.injection_label,
        mark=cluster.mark,
        control_plane=serving,
        injector=[*serving, *(plane.injector for plane in control_planes)],
        gate=gate.hook(cluster.target, mesh) if cluster.target and settings.injectionGate and serving else None,
        checksum=meshconfig.checksum(mesh) if settings.restartOnInjectionChange else None,
    ),
    on_cluster,
)
places = {ROOT: base.namespace, **namespaces.names}

gateways = {
    name: Gateway(
        name,
        GatewayArgs(
            mesh=mesh,
            spec=spec,
            namespace=places[spec.namespace or ROOT],
            control_plane=serving,
        ),
        on_cluster,
    )
    for name, spec in settings.gateways.items()
    if spec.enabled
}

if settings.cni.enabled:
    where = settings.cni.namespace or ROOT
    Cni("cni", CniArgs(mesh=mesh, namespace=places.get(where, where)), on_cluster)

api = [*base.definitions, *(resource for plane in control_planes for resource in plane.validation)]
addons = install(
    AddonsArgs(
        mesh=mesh,
        namespace=base.namespace,
        addons=settings.addons,
        api=api,
        ingress=settings.gateways[INGRESS].selector(INGRESS) if INGRESS in settings.gateways else {},
    ),
    on_cluster,
)

if settings.bookinfo:
    Bookinfo(
        "bookinfo",
        BookinfoArgs(
            mesh=mesh,
            namespace=namespaces.by_name[settings.bookinfo.namespace],
            api=api,
            gateway=settings.bookinfo.gateway,
        ),
        on_cluster,
    )

if limits := traffic.descriptors(settings):
    where = settings.rateLimit.namespace or ROOT
    RateLimit(
        "ratelimit",
        RateLimitArgs(mesh=mesh, spec=settings.rateLimit, namespace=places[where], descriptors=limits),
        on_cluster,
    )

if settings.traffic:
    Traffic(
        "traffic", TrafficArgs(mesh=mesh, objects=traffic.objects(settings), namespaces=places, api=api), on_cluster
    )

if settings.security:
    Security(
        "security", TrafficArgs(mesh=mesh, objects=security.objects(settings), namespaces=places, api=api), on_cluster
    )

program.review(settings, cluster.made)

facts = {name: gateway.facts for name, gateway in gateways.items()}
pulumi.export("profile", settings.profile)
pulumi.export("revision", mesh.revision)
pulumi.export("injectedNamespaces", list(settings.injectedNamespaces))
pulumi.export("cluster", cluster.facts)
pulumi.export("nodeAddress", cluster.node)
pulumi.export("gateways", facts)
if addons:
    pulumi.export("addons", {name: addon.url for name, addon in addons.items()})
if isinstance(tracer := addons.get("jaeger"), Jaeger):
    pulumi.export("tracer", tracer.zipkin)
if (door := productpage.door(settings)) and door.gateway in facts:
    pulumi.export("productPage", facts[door.gateway].apply(partial(door.url, node=cluster.node)))
