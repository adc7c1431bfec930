"""The outputs of the stack, which Pulumi shows at the end of an update."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi

from components.addons.addon import Addon
from components.addons.jaeger import Jaeger
from components.gateways import Gateway
from engine.program import Cluster
from mesh.config.stack import Stack


def export(
    stack: Stack,
    cluster: Cluster,
    gateways: Mapping[str, Gateway],
    addons: Mapping[str, Addon[Any]],
) -> None:
    """Exports what is installed, the cluster, and the addresses."""
    cluster.secrets.record()
    addresses = {name: gateway.address for name, gateway in gateways.items()}
    pulumi.export("profile", stack.settings.profile)
    pulumi.export("revision", stack.installation.revision)
    if stack.settings.controlPlanes:
        pulumi.export("controlPlanes", {name: one.release.version for name, one in stack.installations.items()})
    pulumi.export("injectedNamespaces", list(stack.settings.injectedNamespaces))
    pulumi.export("cluster", cluster.identity)
    pulumi.export("nodeAddress", cluster.node)
    pulumi.export("gateways", addresses)
    if addons:
        pulumi.export("addons", {name: addon.url for name, addon in addons.items()})
    if isinstance(tracer := addons.get("jaeger"), Jaeger):
        pulumi.export("tracer", tracer.spans)
    elif stack.installation.collector:
        pulumi.export("tracer", stack.installation.collector)
    if (page := stack.product_page) and page.gateway in addresses:
        pulumi.export("productPage", addresses[page.gateway].apply(partial(page.url, node=cluster.node)))
