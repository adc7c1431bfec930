"""A Pulumi program with a number of services of an app (`mesh:apps`), their routes and their rules. For comparison, it
can register the same number of plain resources instead."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from commands.stackfiles import ROOT
from components import apps, security, traffic
from components.controlplane import ControlPlane
from components.inorder import InOrder
from components.namespaces import Namespaces, NamespacesArgs
from engine import config, start
from engine import program as run
from engine.sharedfields import SharedFields
from mesh.core import documents

SERVICES: Final = "BENCH_SERVICES"
"""Environment variable with the number of services."""
PLAIN: Final = "BENCH_PLAIN"
"""Environment variable that selects plain resources instead of the services, in the same number."""
EACH: Final = 6
"""Objects of a service: Deployment, Service, ServiceAccount, VirtualService, DestinationRule, AuthorizationPolicy."""
SHOP: Final = "shop"
PORT: Final = 8080


def settings(count: int) -> dict[str, str]:
    """A stack's config with services in a ring, each of which calls the one before it."""
    services = [f"service-{i}" for i in range(count)]
    mesh: Mapping[str, Any] = {
        "profile": "minimal",
        "context": "mesh-dev",
        "injectedNamespaces": {SHOP: "create"},
        "apps": {SHOP: {"namespace": SHOP, "manifests": [_file(count)]}} if count else {},
        "traffic": {"services": {name: {"versions": ["v1"], "route": "v1", "timeout": "3s"} for name in services}},
        "security": {
            "authorization": {
                "allow": {
                    name: {"workload": {"app": name}, "accounts": [services[(i + 1) % count]]}
                    for i, name in enumerate(services)
                }
            }
        },
    }
    return {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in mesh.items()}


def write(count: int) -> None:
    """Writes the manifests that the settings name."""
    file = ROOT / _file(count)
    file.parent.mkdir(exist_ok=True)
    file.write_text("---\n".join(documents.dump(one) for i in range(count) for one in _service(f"service-{i}")))


def _file(count: int) -> str:
    return f"bench-results/{count}-services.yaml"


def _service(name: str) -> Iterator[Mapping[str, Any]]:
    """The manifests of a service, as people write them."""
    labels = {"app": name, "version": "v1"}
    meta = {"name": name, "labels": {"app": name}}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    ports = [{"name": "http", "port": 80, "targetPort": PORT}]
    yield {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": name}, "ports": ports}}
    container = {"name": "app", "image": "shop:1", "ports": [{"containerPort": PORT}]}
    pod = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": name, "containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}


def program() -> None:
    """The program that Pulumi runs; the environment selects its resources."""
    count = int(os.environ[SERVICES])
    if os.environ.get(PLAIN):
        _plain(count * EACH)
    else:
        _mesh(count)


def _mesh(count: int) -> None:
    config.replace(settings(count))  # not through the environment, whose variables are limited to 128 KiB
    recorded = start.request_state()
    stack, cluster = run.connect(recorded)
    on_cluster = pulumi.ResourceOptions(provider=cluster.provider)
    namespaces = Namespaces(
        "namespaces",
        NamespacesArgs(
            settings=stack.settings,
            root=stack.settings.root,
            owner=cluster.owner,
            control_planes=dict.fromkeys(stack.installations, ControlPlane()),
        ),
        on_cluster,
    )
    shared = SharedFields(cluster.target, recorded())
    order = InOrder(stack, shared.standing)
    apps.install(stack.apps, namespaces, [], shared, order, on_cluster)
    traffic.install(stack, namespaces.names, (), order, on_cluster)
    security.install(stack, namespaces.names, (), order, on_cluster)
    order.register()
    run.check_objects(stack, cluster.created)
    run.check_cluster(cluster, recorded())


def _plain(count: int) -> None:
    """Registers plain ConfigMaps, without this project's components."""
    opts = pulumi.ResourceOptions(provider=k8s.Provider("cluster"))
    for name in (f"plain-{i}" for i in range(count)):
        meta = k8s.meta.v1.ObjectMetaArgs(name=name, namespace="default")
        k8s.core.v1.ConfigMap(name, metadata=meta, data={"value": name}, opts=opts)
