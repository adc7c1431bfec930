"""The control plane: istiod here, or what stands here for an istiod elsewhere; and what others wait for."""

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
    """Resources that others wait for. Of an istiod elsewhere that is its injection webhook alone; without a control
    plane, nothing."""

    serving: Sequence[pulumi.Resource] = ()
    """Ready when proxies get their configuration."""
    injecting: Sequence[pulumi.Resource] = ()
    """Ready when new pods of a labelled namespace get their sidecar, and their configuration."""
    validating: Sequence[pulumi.Resource] = ()
    """Ready when Istio's objects are checked."""


def install(mesh: Installation, base: Base, gate: bool, opts: pulumi.ResourceOptions) -> ControlPlane:
    """The control plane that the values ask for. `gate`: whether its webhooks count as ready only when istiod has
    patched them."""
    if mesh.values.pilot.enabled:
        istiod = Istiod("istiod", IstiodArgs(mesh=mesh, base=base, gate=gate), opts)
        injecting = [*istiod.serving, istiod.injector]
        return ControlPlane(serving=istiod.serving, injecting=injecting, validating=istiod.validation)
    if mesh.values.istiodRemote.enabled:
        remote = Remote("remote", RemoteArgs(mesh=mesh, base=base, gate=gate), opts)
        return ControlPlane(injecting=[remote.injector])
    return ControlPlane()
