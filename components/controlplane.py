"""The control plane: istiod here, or what stands here for an istiod elsewhere; and what others wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.base import Base
from components.istiod import Istiod, IstiodArgs
from components.remote import Remote, RemoteArgs
from mesh.config.installation import Installation


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """Resources that others wait for; none where the stack has no control plane."""

    serving: Sequence[pulumi.Resource] = ()
    """Ready when proxies get their configuration."""
    injecting: Sequence[pulumi.Resource] = ()
    """Ready when new pods of a labelled namespace get their sidecar, and their configuration."""
    validating: Sequence[pulumi.Resource] = ()
    """Ready when Istio's objects are checked."""


def install(mesh: Installation, base: Base, gate: bool, opts: pulumi.ResourceOptions) -> ControlPlane:
    """The control plane that the values ask for. `gate`: whether its webhooks count as ready only when istiod has
    patched them."""
    made: Istiod | Remote
    if mesh.values.pilot.enabled:
        made = Istiod("istiod", IstiodArgs(mesh=mesh, base=base, gate=gate), opts)
    elif mesh.values.istiodRemote.enabled:
        made = Remote("remote", RemoteArgs(mesh=mesh, base=base, gate=gate), opts)
    else:
        return ControlPlane()
    return ControlPlane(serving=made.serving, injecting=[*made.serving, made.injector], validating=made.validation)
