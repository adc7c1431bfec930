"""The release of an installation of Istio, by the objects of its control plane."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from commands.parity.normal import Manifest
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind

_IMAGE: Final = re.compile(
    r"/(?:pilot|galley|citadel|sidecar_injector):v?(\d+\.\d+[\w.-]*?)(?:-distroless|-debug)?(?:@|$)"
)
"""Images of a control plane. Releases before 1.5 have other images beside pilot."""
_CHART: Final = re.compile(r"(?:istiod|base|istio)-v?(\d+\.\d+\.\d+\S*)$")
"""The label `helm.sh/chart`."""
_VERSION: Final = re.compile(r"v?(\d+\.\d+\.\d+\S*)$")
_STATED: Final = ("app.kubernetes.io/version", "operator.istio.io/version")
"""Labels that state the release of an object."""


def of(objects: Sequence[Manifest]) -> list[str]:
    """The versions of the control planes among the objects, such as `1.30.3`; none if the objects do not tell."""
    found = [manifest for manifest in objects if _is_control_plane(manifest)]
    by_image = {version for manifest in found for version in _of_images(manifest)}
    return sorted(by_image) or sorted({version for manifest in found for version in _of_labels(manifest)})


def _is_control_plane(manifest: Manifest) -> bool:
    name, labels = manifest["metadata"]["name"], manifest["metadata"].get("labels") or {}
    workload = GroupKind.of(manifest) in (kinds.DEPLOYMENT, kinds.CONFIG_MAP, kinds.SERVICE)
    return workload and (labels.get("istio") == "pilot" or name.startswith(("istiod", "istio-pilot", "istio-galley")))


def _of_images(manifest: Manifest) -> Iterator[str]:
    for container in pods.all_containers(pods.pod_spec(GroupKind.of(manifest), manifest)[1]):
        if said := _IMAGE.search(container.image):
            yield said[1]


def _of_labels(manifest: Manifest) -> Iterator[str]:
    labels: Mapping[str, Any] = manifest["metadata"].get("labels") or {}
    if said := _CHART.match(str(labels.get("helm.sh/chart", ""))):
        yield said[1]
    for key in _STATED:
        if said := _VERSION.match(str(labels.get(key, ""))):
            yield said[1]
