"""The Pulumi program: the components of the mesh, in the order in which they are installed."""

# ruff: noqa: E402 - the engine reads the stack's state while Python imports the other modules
from engine import start

recorded = start.request_state()

import pulumi

from components import (
    apps,
    bookinfo,
    cni,
    controlplane,
    gateways,
    networkpolicies,
    outputs,
    ratelimit,
    security,
    traffic,
    ztunnel,
)
from components.addons import install as addons
from components.base import Base, BaseArgs
from components.inorder import InOrder
from components.namespaces import Namespaces, NamespacesArgs
from engine import program
from engine.sharedfields import SharedFields

stack, cluster = program.connect(recorded)
settings, mesh = stack.settings, stack.installation
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)

planes = [*stack.installations.values()]
base = Base("base", BaseArgs(control_planes=planes, owner=cluster.owner, keep=settings.keepDefinitions), on_cluster)
control_planes = controlplane.install(stack.installations, base, settings.injectionGate, on_cluster)
namespaces = Namespaces(
    "namespaces",
    NamespacesArgs(
        settings=settings,
        root=base.namespace,
        metadata={name: item.body["metadata"] for name, item in stack.apps.namespaces.items()},
        owner=cluster.owner,
        control_planes=control_planes,
        cluster=cluster.target if settings.injectionGate else None,
        moves=cluster.moves,
    ),
    on_cluster,
)
proxies = gateways.install(settings, namespaces.names, control_planes, cluster.moves, on_cluster)
cni.install(mesh, namespaces.names, on_cluster)
ztunnel.install(mesh, namespaces.names, control_planes[mesh.revision].serving, on_cluster)
networkpolicies.install(planes, namespaces.names, on_cluster)

api = [*base.definitions, *(one for plane in control_planes.values() for one in plane.validating)]
watching = addons.install(
    addons.AddonsArgs(
        mesh=mesh, namespace=base.namespace, namespaces=namespaces.names, addons=settings.addons, api=api
    ),
    on_cluster,
)
bookinfo.install(settings.bookinfo, mesh, namespaces, api, on_cluster)
ratelimit.install(stack, namespaces.names, on_cluster)
shared = SharedFields(cluster.target, recorded())
order = InOrder(stack, shared.standing)
apps.install(stack.apps, namespaces, api, shared, order, on_cluster)
traffic.install(stack, namespaces.names, api, order, on_cluster)
security.install(stack, namespaces.names, api, order, on_cluster)
order.register()

program.check_patches(cluster.patched)
program.check_objects(stack, cluster.created)
program.check_cluster(cluster, recorded())
outputs.export(stack, cluster, proxies, watching)
