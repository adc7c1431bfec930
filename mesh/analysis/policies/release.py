"""Whether the Istio that a stack installs is still looked after."""

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
    """One finding, if the stack runs anything of a release after its end; `today` for another day than that."""
    installs = any(
        _name(container.image) in _IMAGES
        for workload in mesh.workloads.all
        for container in pods.running_containers(workload.pod)
    )
    if installs and (today or date.today()) > date.fromisoformat(release.end_of_life):
        subject = Object(ref=Ref(GroupKind("Release", ""), "", release.version), labels={}, annotations={}, body={})
        text = f"Istio {release.version} has had no security fixes since {release.end_of_life}"
        yield END_OF_LIFE.at(subject, "", text)


def _name(image: str) -> str:
    """The last part of an image's path, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


END_OF_LIFE: Final = Policy(
    code="MESH0307",
    name="EndOfLife",
    meaning="The Istio release gets no security fixes any more.",
    check_mesh=past_end_of_life,
)
