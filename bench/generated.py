"""A Pulumi program with a given number of services, made of this project's components; for comparison, one with as many
plain resources."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube, security, traffic
from components.controlplane import ControlPlane
from components.inorder import InOrder
from components.namespaces import Namespaces, NamespacesArgs
from engine import config, start
from engine import program as run
from mesh.core.names import ROOT

SERVICES: Final = "BENCH_SERVICES"
"""Environment variable with the number of services."""
PLAIN: Final = "BENCH_PLAIN"
"""Environment variable that selects plain resources, as many as the services have."""
EACH: Final = 6
"""Objects of a service: Deployment, Service, ServiceAccount, VirtualService, DestinationRule, AuthorizationPolicy."""
SHOP: Final = "shop"
PORT: Final = 8080


def settings(count: int) -> dict[str, str]:
    """A stack's config with services in a ring, each of which is called by the next one."""
    names = [f"service-{i}" for i in range(count)]
    mesh: Mapping[str, Any] = {
        "profile": "minimal",
        "context": "mesh-dev",
        "injectedNamespaces": {SHOP: "create"},
        "traffic": {"services": {name: {"versions": ["v1"], "route": "v1", "timeout": "3s"} for name in names}},
        "security": {
            "authorization": {
                "allow": {
                    name: {"workload": {"app": name}, "accounts": [names[(i + 1) % count]]}
                    for i, name in enumerate(names)
                }
            }
        },
    }
    return {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in mesh.items()}


class Shop(pulumi.ComponentResource):
    """The component with the services' workloads."""

    def __init__(self, count: int, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        super().__init__("mesh:bench:Shop", "shop", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for name in (f"service-{i}" for i in range(count)):
            labels = {"app": name, "version": "v1"}
            kube.service_account(name, namespace, {}, (), child)
            port = k8s.core.v1.ServicePortArgs(name="http", port=80, target_port=PORT)
            spec = k8s.core.v1.ServiceSpecArgs(selector={"app": name}, ports=[port])
            kube.service(name, namespace, {"app": name}, spec, child)
            container = k8s.core.v1.ContainerArgs(
                name="app", image="shop:1", ports=[k8s.core.v1.ContainerPortArgs(container_port=PORT)]
            )
            k8s.apps.v1.Deployment(
                name,
                metadata=kube.metadata(name, namespace, labels),
                spec=k8s.apps.v1.DeploymentSpecArgs(
                    selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels),
                    template=k8s.core.v1.PodTemplateSpecArgs(
                        metadata=k8s.meta.v1.ObjectMetaArgs(labels=labels),
                        spec=k8s.core.v1.PodSpecArgs(service_account_name=name, containers=[container]),
                    ),
                ),
                opts=child,
            )
        self.register_outputs({})


def program() -> None:
    """The program that Pulumi runs; the environment selects its resources."""
    count = int(os.environ[SERVICES])
    if os.environ.get(PLAIN):
        _plain(count * EACH)
    else:
        _mesh(count)


def _mesh(count: int) -> None:
    config.replace(settings(count))  # not the environment's: that can hold 128 KiB
    stack, cluster = run.connect(ROOT, start.request_state())
    on_cluster = pulumi.ResourceOptions(provider=cluster.provider)
    namespaces = Namespaces(
        "namespaces",
        NamespacesArgs(
            mesh=stack.installation,
            root=ROOT,
            injected=stack.settings.injectedNamespaces,
            others={},
            owner=cluster.owner,
            control_plane=ControlPlane(),
        ),
        on_cluster,
    )
    Shop(count, namespaces.names[SHOP], on_cluster)
    order = InOrder(stack, {})
    traffic.install(stack, namespaces.names, (), order, on_cluster)
    security.install(stack, namespaces.names, (), order, on_cluster)
    order.register()
    run.check_objects(stack, cluster.created)


def _plain(count: int) -> None:
    """Registers plain ConfigMaps, without this project's components."""
    opts = pulumi.ResourceOptions(provider=k8s.Provider("cluster"))
    for name in (f"plain-{i}" for i in range(count)):
        meta = k8s.meta.v1.ObjectMetaArgs(name=name, namespace="default")
        k8s.core.v1.ConfigMap(name, metadata=meta, data={"value": name}, opts=opts)
