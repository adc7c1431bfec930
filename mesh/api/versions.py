"""Which versions of Istio's API the release serves: all that differs from release to release about it."""

from collections.abc import Mapping
from typing import Final

SERVED: Final[Mapping[str, tuple[str, ...]]] = {
    "networking.istio.io": ("v1alpha3", "v1beta1"),
    "security.istio.io": ("v1beta1",),
    "telemetry.istio.io": ("v1alpha1",),
    "EnvoyFilter": ("v1alpha3",),
    "WorkloadGroup": ("v1alpha3",),
}
"""By group, or by kind where a kind differs from its group. The first version is the stored one; a kind without
versions is not part of the release."""
