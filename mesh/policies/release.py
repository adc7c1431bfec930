"""Whether the Istio that a stack installs is still looked after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from mesh.analysis import policies
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.releases.release import Release

_IMAGES: Final = ("pilot", "proxyv2", "install-cni")
"""Names of Istio's own images."""


def past_end_of_life(mesh: Mesh, release: Release, today: date | None = None) -> Iterator[Finding]:
    """One finding, if the stack runs anything of a release after its end; `today` for another day than that."""
    installs = any(
        _name(container.get("image") or "") in _IMAGES
        for workload in mesh.workloads.all
        for container in workload.pod.get("containers") or ()
    )
    if installs and (today or date.today()) > date.fromisoformat(release.end_of_life):
        subject = Object(ref=Ref("Release", "", release.version), labels={}, annotations={}, body={})
        text = f"Istio {release.version} has had no security fixes since {release.end_of_life}"
        yield policies.END_OF_LIFE.at(subject, "", text)


def _name(image: str) -> str:
    """The last part of an image's path, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
