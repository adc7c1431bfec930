"""What a stack tells its user when it is up."""

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
from mesh.releases.release import Installation


def export(
    stack: Stack,
    mesh: Installation,
    cluster: Cluster,
    gateways: Mapping[str, Gateway],
    addons: Mapping[str, Addon[Any]],
) -> None:
    """Sets the stack's outputs: what is installed, where, and at which addresses."""
    facts = {name: gateway.facts for name, gateway in gateways.items()}
    pulumi.export("profile", stack.settings.profile)
    pulumi.export("revision", mesh.revision)
    pulumi.export("injectedNamespaces", list(stack.settings.injectedNamespaces))
    pulumi.export("cluster", cluster.facts)
    pulumi.export("nodeAddress", cluster.node)
    pulumi.export("gateways", facts)
    if addons:
        pulumi.export("addons", {name: addon.url for name, addon in addons.items()})
    if isinstance(tracer := addons.get("jaeger"), Jaeger):
        pulumi.export("tracer", tracer.zipkin)
    if (page := stack.product_page) and page.gateway in facts:
        pulumi.export("productPage", facts[page.gateway].apply(partial(page.url, node=cluster.node)))
