"""The distance between the releases, and what the newer one requires of Kubernetes and of proxies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.releases.differences import Severity, order
from mesh.upgrade import target
from mesh.upgrade.changes import Change, Place
from mesh.upgrade.subject import Subject

_SUPPORTED: Final = 'Istio, "Supported releases"'
_SKEW: Final = 1
"""The number of minor releases that istiod may be ahead of its proxies."""


def distance(subject: Subject) -> Iterator[Change]:
    """An upgrade over more than one minor release."""
    before, after = subject.before.release, subject.after.release
    steps = target.distance(before.name, after.name)
    if steps > _SKEW:
        yield Change(
            severity=Severity.NOTE,
            name="distance",
            since=after.name,
            places=(Place(f"Istio {before.name} to {after.name}"),),
            before=f"proxies of {before.version} work with istiod of {before.version}",
            after=f"{after.name} is {steps} minor releases ahead; the Istio project supports an istiod one ahead of its"
            " proxies, and does not test such a difference",
            remedy="install the newer control plane beside the older one (mesh:controlPlanes) and move workloads one by"
            " one, so that each proxy has an istiod of its own release; do not stay in between for long",
            source=_SUPPORTED,
        )


def kubernetes(subject: Subject) -> Iterator[Change]:
    """A cluster on which the newer release is not supported."""
    wanted, found, release = subject.after.release.kubernetes, subject.kubernetes, subject.after.release
    if found is None or (wanted.oldest <= found and (wanted.newest is None or found <= wanted.newest)):
        return
    too_old = found < wanted.oldest
    until = ".".join(map(str, wanted.oldest))
    yield Change(
        severity=Severity.REFUSED if too_old else Severity.NOTE,
        name="kubernetes",
        since=release.name,
        places=(Place(f"Kubernetes {'.'.join(map(str, found))}"),),
        before="",
        after=f"{until} or later is needed: {wanted.reason}"
        if too_old
        else f"the Istio project supports {release.name} on {wanted.supported}",
        remedy=f"upgrade the cluster to Kubernetes {until} first" if too_old else "try it on a cluster of that version",
        source=_SUPPORTED,
    )


def proxies(subject: Subject) -> Iterator[Change]:
    """The proxies on the cluster that are too old for the newer istiod, by namespace and image."""
    release = subject.after.release
    major, minor = order(release.name)
    oldest = (major, minor - _SKEW)
    for pod, image, version in subject.proxies:
        if version and order(version)[:2] < oldest:
            space = pod.namespace
            yield Change(
                severity=Severity.NOTE,
                name="old-proxies",
                since=release.name,
                places=(Place.of(pod),),
                before=f"proxies in namespace {space} have the image {image}",
                after=f"the Istio project supports no proxy before {major}.{minor - _SKEW} with istiod of"
                f" {release.version}",
                remedy=f"restart them once namespace {space} is at the newer control plane: kubectl rollout restart"
                f" deployment,statefulset,daemonset --namespace {space}. A pod template that names the image needs the"
                " newer one",
                source=f'{_SUPPORTED}, "Control Plane/Data Plane Skew"',
            )


RULES: Final = (distance, kubernetes, proxies)
