"""The control plane: istiod on this cluster, or the webhook of a remote istiod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.base import Base
from components.istiod import Istiod, IstiodArgs
from components.remote import Remote, RemoteArgs
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The resources of a control plane that others depend on.

    A remote istiod has only webhooks here; without a control plane all are empty."""

    serving: Sequence[pulumi.Resource] = ()
    """Ready when istiod serves configuration to proxies."""
    injecting: Sequence[pulumi.Resource] = ()
    """Ready when new pods of a labelled namespace get a sidecar and its configuration."""
    validating: Sequence[pulumi.Resource] = ()
    """Ready when the webhook validates Istio's objects."""


def install(mesh: Installation, base: Base, gate: bool, opts: pulumi.ResourceOptions) -> ControlPlane:
    """Installs the control plane that the values enable.

    `gate`: whether its webhooks count as ready only when istiod has patched them."""
    if mesh.values.pilot.enabled:
        istiod = Istiod("istiod", IstiodArgs(mesh=mesh, base=base, gate=gate), opts)
        injecting = [*istiod.serving, *istiod.injecting]
        return ControlPlane(serving=istiod.serving, injecting=injecting, validating=istiod.validation)
    if mesh.values.istiodRemote.enabled:
        remote = Remote("remote", RemoteArgs(mesh=mesh, base=base, gate=gate), opts)
        return ControlPlane(injecting=remote.injecting, validating=remote.validation)
    return ControlPlane()
