"""The control plane: istiod on this cluster, or the webhook of a remote istiod."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.base import Base
from components.istiod import NAME, Istiod, IstiodArgs
from components.remote import Remote, RemoteArgs
from mesh.core.names import DEFAULT_REVISION
from mesh.releases.release import Installation


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The resources of a control plane that other resources depend on.

    A remote istiod has only webhooks on this cluster. Without a control plane all fields are empty."""

    serving: Sequence[pulumi.Resource] = ()
    """Ready when istiod serves configuration to proxies."""
    injecting: Sequence[pulumi.Resource] = ()
    """Ready when new pods of a labelled namespace get a sidecar and its configuration."""
    validating: Sequence[pulumi.Resource] = ()
    """Ready when the webhook validates Istio's objects."""


def install(
    installations: Mapping[str, Installation], base: Base, gate: bool, opts: pulumi.ResourceOptions
) -> dict[str, ControlPlane]:
    """Installs the control planes that the values enable, and returns them by revision.

    `installations`: first the control plane of the stack's own keys, then the others. `gate`: whether webhooks count as
    ready only when istiod has patched them."""
    main, *others = installations.values()
    further = {mesh.revision: _install(mesh.revisioned(NAME), mesh, base, gate, (), opts) for mesh in others}
    # A control plane that takes over the default labels must inject before the main control plane drops them.
    takes_over = further.get(main.values.revisionTags.get(DEFAULT_REVISION, ""), ControlPlane()).injecting
    return {main.revision: _install(NAME, main, base, gate, takes_over, opts), **further}


def _install(
    name: str,
    mesh: Installation,
    base: Base,
    gate: bool,
    takes_over: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> ControlPlane:
    if mesh.values.runs_istiod:
        istiod = Istiod(name, IstiodArgs(mesh=mesh, base=base, gate=gate, takes_over=takes_over), opts)
        injecting = [*istiod.serving, *istiod.injecting]
        return ControlPlane(serving=istiod.serving, injecting=injecting, validating=istiod.validation)
    if mesh.values.istiodRemote.enabled:
        remote = Remote("remote", RemoteArgs(mesh=mesh, base=base, gate=gate), opts)
        return ControlPlane(injecting=remote.injecting, validating=remote.validation)
    return ControlPlane()
