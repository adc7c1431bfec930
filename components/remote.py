"""A cluster whose control plane is remote (`istiodRemote`): the webhooks that call it, and its address."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import elsewhere, meshconfig, rbac, telemetry, webhooks
from components.base import Base
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class RemoteArgs:
    """Arguments of Remote."""

    mesh: Installation
    base: Base
    """Its namespace, and Istio's definitions if they are installed."""
    gate: bool = True
    """Whether the webhooks count as ready only when istiod has patched them."""


class Remote(pulumi.ComponentResource):
    """The webhooks, and the roles, Service, ConfigMaps and telemetry filters that the values enable."""

    injecting: list[pulumi.Resource]
    """The injection webhooks, ready when new pods of a labelled namespace get a sidecar."""
    validation: list[pulumi.Resource]
    """The validation webhooks, if this cluster holds the configuration of the remote control plane."""

    def __init__(self, name: str, args: RemoteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Remote", name, None, opts)
        mesh, namespace = args.mesh, args.base.namespace
        self._child = pulumi.ResourceOptions(parent=self)
        rbac.of_control_plane(mesh, namespace, self)
        meshconfig.config_maps(mesh, namespace, self._child)
        elsewhere.lead_to(mesh, namespace, self._child)
        self.injecting = [*webhooks.injectors(mesh, args.gate, self._child)]
        after = pulumi.ResourceOptions(parent=self, depends_on=args.base.definitions)
        self.validation = [*webhooks.validators(mesh, args.gate, self._child)]
        if mesh.in_namespaces:
            webhooks.policies(mesh, self._child)
        telemetry.install(mesh, namespace, after)
        self.register_outputs({})
