"""The mesh, in the order in which it is installed."""

import pulumi

from components import gate, stack
from components.base import Base, BaseArgs
from components.bookinfo import Bookinfo, BookinfoArgs
from components.gateways import Gateway, GatewayArgs, product_page
from components.istiod import INJECTOR, NAME, REVISION, Istiod, IstiodArgs
from components.namespaces import Namespaces, NamespacesArgs

ROOT = "istio-system"
INGRESS = "istio-ingressgateway"

settings, cluster = stack.prepare(ROOT)
profile = settings.values
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)

base = Base("base", BaseArgs(namespace=ROOT, mark=cluster.mark), on_cluster)

istiod = Istiod(
    "istiod",
    IstiodArgs(
        namespace=base.namespace,
        root=ROOT,
        profile=profile,
        hub=settings.hub,
        tag=settings.tag,
        definitions=base.definitions,
        gate=settings.injectionGate,
    ),
    on_cluster,
)

gateways = {
    name: Gateway(
        name,
        GatewayArgs(
            namespace=base.namespace,
            root=ROOT,
            spec=spec,
            hub=settings.hub,
            tag=settings.tag,
            revision=REVISION,
            node_ports=settings.ingressNodePorts if spec.role == "ingressgateway" else {},
            control_plane=[istiod.deployment],
        ),
        on_cluster,
    )
    for name, spec in profile.gateways.items()
}

namespaces = Namespaces(
    "namespaces",
    NamespacesArgs(
        namespaces=settings.injectedNamespaces,
        mark=cluster.mark,
        control_plane=[istiod.deployment],
        injector=[istiod.deployment, istiod.injector],
        gate=gate.hook(cluster.target, ROOT, NAME, INJECTOR) if cluster.target and settings.injectionGate else None,
    ),
    on_cluster,
)

if settings.bookinfo:
    Bookinfo(
        "bookinfo",
        BookinfoArgs(
            namespace=namespaces.by_name[settings.bookinfo.namespace],
            api=[*base.definitions, istiod.validator],
            inject=istiod.inject,
        ),
        on_cluster,
    )

facts = {name: gateway.facts for name, gateway in gateways.items()}
pulumi.export("profile", settings.profile)
pulumi.export("revision", istiod.revision)
pulumi.export("injectedNamespaces", list(settings.injectedNamespaces))
pulumi.export("cluster", cluster.facts)
pulumi.export("nodeAddress", cluster.node)
pulumi.export("gateways", facts)
if settings.bookinfo and INGRESS in facts:
    host = f"{INGRESS}.{ROOT}.svc.cluster.local"
    pulumi.export("productPage", facts[INGRESS].apply(lambda found: product_page(found, host, cluster.node)))
