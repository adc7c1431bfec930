"""A cluster whose control plane is remote (`istiodRemote`): the injection webhook that calls it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components import meshconfig, telemetry, webhooks
from components.base import Base
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class RemoteArgs:
    """Arguments of Remote."""

    mesh: Installation
    base: Base
    """Its namespace, and Istio's definitions if they are installed."""
    gate: bool = True
    """Whether the webhook counts as ready only when istiod has patched it."""


class Remote(pulumi.ComponentResource):
    """The injection webhook, and the ConfigMaps and telemetry filters that the values enable."""

    injector: k8s.admissionregistration.v1.MutatingWebhookConfiguration
    """Ready when new pods of a labelled namespace get a sidecar."""

    def __init__(self, name: str, args: RemoteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Remote", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        meshconfig.config_maps(args.mesh, args.base.namespace, child)
        self.injector = webhooks.injector(args.mesh, args.gate, child)
        after = pulumi.ResourceOptions(parent=self, depends_on=args.base.definitions)
        telemetry.install(args.mesh, args.base.namespace, after)
        self.register_outputs({})
