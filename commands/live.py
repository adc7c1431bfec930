"""Starts and stops the live data plane of an embedded cluster (`sandbox.live`) together with a stack."""

from __future__ import annotations

import os
from typing import Any

import sandbox
from commands import stacks
from commands.stackfiles import CommandError
from mesh.config.settings import INGRESS, Settings
from mesh.core.names import DEFAULT_CLUSTER, EMBEDDED_CLUSTERS, MESH_CONFIG
from sandbox import live
from toolchain import ToolchainError


def should_run(chosen: Settings) -> bool:
    """Whether the stack is on an embedded cluster, has Bookinfo or apps and an ingress gateway, and LIVE is not 0."""
    ingress = chosen.gateways.get(INGRESS)
    has_services = chosen.bookinfo is not None or bool(chosen.apps)
    has_both = has_services and ingress is not None and ingress.enabled
    return has_both and chosen.context in EMBEDDED_CLUSTERS and os.environ.get("LIVE") != "0"


def start(stack: str, chosen: Settings) -> None:
    """Starts or updates the stack's live data plane; stops it if the stack should no longer have one.

    Raises CommandError if that fails: then the stack is up, but the address that it prints does not answer."""
    if not should_run(chosen):
        stop(stack)
        return
    try:
        live.start(str(chosen.context), _fields(stack, chosen))
    except (sandbox.SandboxError, ToolchainError) as error:
        raise CommandError(
            f"the stack is up, but its live sandbox is not: {error}\n"
            f"`make up{stacks.variables(stack)}` tries again; with LIVE=0 it skips the live sandbox"
        ) from None


def stop(stack: str) -> bool:
    """Stops the stack's live data plane. Returns whether it ran."""
    running = [context for context in EMBEDDED_CLUSTERS if (live.current(context) or {}).get("stack") == stack]
    for context in running:
        live.stop(context)
    return bool(running)


def _fields(stack: str, chosen: Settings) -> dict[str, Any]:
    """The fields of `sandbox.live.plan.Plan` that come from the stack's settings."""
    mesh = chosen.installation
    edges = [
        live.DeclaredGateway(name, spec.namespace or mesh.root, dict(spec.selector(name)))
        for name, spec in chosen.gateways.items()
        if spec.enabled
    ]
    return {
        "stack": stack,
        "namespace": chosen.bookinfo.namespace if chosen.bookinfo else "",
        "root": mesh.root,
        "config_root": mesh.config_root,
        "mesh_config": mesh.revisioned(MESH_CONFIG),
        "version": chosen.tag,
        "defaults": dict(mesh.release.requests.pilot),
        "domain": chosen.global_.proxy.clusterDomain,
        "ingress": INGRESS,
        "edges": tuple(edges),
        "identity": _identity(chosen),
    }


def _identity(chosen: Settings) -> live.Identity | None:
    """The istiod that signs certificates for the live proxies; None if no real istiod runs."""
    mesh = chosen.installation
    cluster = chosen.global_.multiCluster.clusterName or DEFAULT_CLUSTER
    return live.Identity(mesh.revisioned("istiod"), cluster) if mesh.release.runs_istiod else None
