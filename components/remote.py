"""What a cluster needs whose control plane runs elsewhere: the webhook that asks it for sidecars."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components import meshconfig, telemetry, webhooks
from components.base import Base
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class RemoteArgs:
    """What a remote control plane's stand-in needs to know."""

    mesh: Installation
    base: Base
    """Where it goes, and Istio's API if it is installed."""
    gate: bool = True
    """Whether the webhook counts as ready only when istiod has patched it."""


class Remote(pulumi.ComponentResource):
    """The injection webhook; and documents and filters, if the values ask for them."""

    injector: k8s.admissionregistration.v1.MutatingWebhookConfiguration
    """Ready when new pods of a labelled namespace get their sidecar."""

    def __init__(self, name: str, args: RemoteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:istio:Remote", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        meshconfig.documents(args.mesh, args.base.namespace, child)
        self.injector = webhooks.injector(args.mesh, args.gate, child)
        after = pulumi.ResourceOptions(parent=self, depends_on=args.base.definitions)
        telemetry.install(args.mesh, args.base.namespace, after)
        self.register_outputs({})
