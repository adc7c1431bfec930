"""What `make status` shows of control planes, tags, namespaces and gateways, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from cluster import revisions, sidecars
from cluster.revisions import Deployed, Namespace, Revisions
from cluster.sidecars import Sidecar
from mesh import releases
from mesh.config.stack import Stack
from mesh.releases.release import Installation, Release


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A control plane of the stack, or another one on the cluster."""

    revision: str
    version: str
    """The version of istiod's image; empty if its tag says none."""
    ready: int
    wanted: int
    installed: bool
    """Whether its Deployment is on the cluster."""
    own: bool
    """Whether it belongs to the stack."""
    kind: str
    """`real` or `simulated` on an embedded cluster; empty on other clusters, and while it does not run."""
    supported_until: str
    """The day (ISO 8601) on which the Istio project ended or ends its support; empty if it is not known."""
    supported: bool | None
    """Whether that day is yet to come; None if it is not known."""


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A namespace with an injection label, or with sidecars."""

    name: str
    label: str
    """`key=value` as it is written; empty without one."""
    tag: str
    """The revision tag that the label matches; empty if the label matches a revision, or nothing."""
    revision: str
    """The revision that injects new pods; empty if the label matches nothing, or if there is no label."""
    image: str
    """The image of the sidecar that new pods get; empty if it is not known."""
    pods: int
    """Pods that have not ended."""
    versions: Mapping[str, int]
    """The number of sidecars, by the version of their image."""
    old: Mapping[str, Sequence[str]]
    """The pods whose sidecar is not the one that they would get now, by a description of their sidecar."""
    without: Sequence[str]
    """The pods without a sidecar, if new pods get one."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A Deployment of gateway proxies."""

    namespace: str
    name: str
    revision: str
    """The revision of its control plane, by its label or by the address that its pods use; empty if neither tells
    it."""
    image: str
    ready: int
    wanted: int
    current: bool
    """Whether it has the version of its control plane, as far as both are known."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The mesh on a cluster, as seen by a stack."""

    control_planes: Sequence[ControlPlane]
    tags: Mapping[str, str]
    """The revision of each tag."""
    namespaces: Sequence[Injected]
    gateways: Sequence[Gateway]


def of(stack: Stack, found: Revisions, images: Mapping[str, str], kinds: Mapping[str, str]) -> Overview:
    """The overview of a cluster. `images`: the image of the sidecar that each control plane injects, by revision;
    `kinds`: `real` or `simulated` on an embedded cluster, by revision."""
    return Overview(
        control_planes=_control_planes(stack, found, kinds),
        tags=dict(sorted(found.tags.items())),
        namespaces=[
            _injected(one, found, images.get(one.revision, ""))
            for name, one in sorted(found.namespaces.items())
            if one.label or name in found.sidecars
        ],
        gateways=[_gateway(one, found) for one in sorted(found.gateways, key=lambda one: one.name)],
    )


def as_data(found: Overview) -> dict[str, Any]:
    """The overview as data for JSON."""
    return asdict(found)


def _control_planes(stack: Stack, found: Revisions, kinds: Mapping[str, str]) -> list[ControlPlane]:
    own = {name: one for name, one in stack.installations.items() if one.values.runs_istiod}
    there = {one.revision: one for one in found.control_planes}
    return [
        _control_plane(name, own.get(name), there.get(name), kinds.get(name, ""))
        for name in dict.fromkeys([*own, *there])
    ]


def _control_plane(revision: str, own: Installation | None, there: Deployed | None, kind: str) -> ControlPlane:
    version = (there.version if there else "") or (own.values.tag if own else "")
    release = own.release if own else releases.of_version(version)
    return ControlPlane(
        revision=revision,
        version=version,
        ready=there.ready if there else 0,
        wanted=there.wanted if there else 0,
        installed=there is not None,
        own=own is not None,
        kind=kind,
        supported_until=release.end_of_life if release else "",
        supported=_is_supported(release) if release else None,
    )


def _is_supported(release: Release) -> bool:
    return datetime.now(UTC).date() <= date.fromisoformat(release.end_of_life)


def _injected(one: Namespace, found: Revisions, image: str) -> Injected:
    running = found.sidecars.get(one.name, ())
    names = {sidecar.name[1] for sidecar in running}
    here = [pod for pod in found.pods if sidecars.name(pod)[0] == one.name and not sidecars.is_gateway(pod["spec"])]
    return Injected(
        name=one.name,
        label=str(one.label or ""),
        tag=one.tag,
        revision=one.revision,
        image=image,
        pods=len(here),
        versions=dict(sorted(Counter(revisions.version(sidecar.image) for sidecar in running).items())),
        old=_old(one, running, found, image),
        without=sorted(name for _, name in map(sidecars.name, here) if one.label and name not in names),
    )


def _old(one: Namespace, running: Sequence[Sidecar], found: Revisions, image: str) -> Mapping[str, Sequence[str]]:
    """The pods whose sidecar is not from the control plane that injects now, by a description of their sidecar."""
    old: dict[str, list[str]] = {}
    for sidecar in running:
        asked = found.asked_by(sidecar)
        if image and sidecar.image != image:
            old.setdefault(sidecar.image, []).append(sidecar.name[1])
        elif one.revision and asked not in ("", one.revision):
            old.setdefault(f"a sidecar of revision {asked}", []).append(sidecar.name[1])
    return {what: sorted(pods) for what, pods in sorted(old.items())}


def _gateway(one: Deployed, found: Revisions) -> Gateway:
    asked = (found.asked_by(pod) for pod in found.proxies if one.name in sidecars.makers(pod.pod))
    revision = next(filter(None, asked), "") or one.revision
    versions = {plane.version for plane in found.control_planes if plane.revision == revision}
    return Gateway(
        namespace=one.name[0],
        name=one.name[1],
        revision=revision,
        image=one.image,
        ready=one.ready,
        wanted=one.wanted,
        current=not one.version or not versions or one.version in versions,
    )
