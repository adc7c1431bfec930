"""End of life of the installed Istio release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.analysis.policies.policy import Policy
from mesh.core import pods
from mesh.core.kinds import GroupKind
from mesh.releases.release import Release

_IMAGES: Final = ("pilot", "proxyv2", "install-cni")
"""Names of Istio's own images."""


def past_end_of_life(mesh: Mesh, release: Release, today: date | None = None) -> Iterator[Finding]:
    """One violation if the mesh runs an image of Istio after the end of life of the release. `today` is for tests."""
    runs_istio = any(
        _name(container.image) in _IMAGES
        for workload in mesh.workloads.all
        for container in pods.running_containers(workload.pod)
    )
    if runs_istio and (today or date.today()) > date.fromisoformat(release.end_of_life):
        subject = Object(ref=Ref(GroupKind("Release", ""), "", release.version), labels={}, annotations={}, body={})
        text = f"Istio {release.version} has had no security fixes since {release.end_of_life}"
        yield END_OF_LIFE.at(subject, "", text)


def _name(image: str) -> str:
    """The last part of an image reference's path, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


END_OF_LIFE: Final = Policy(
    code="MESH0307",
    name="EndOfLife",
    meaning="The Istio release is past its end of life and gets no security fixes.",
    check_mesh=past_end_of_life,
)
