"""One control plane's installation: what decides it, where it is, and what its objects are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.profiles import Values

ROOT: Final = "istio-system"
"""The namespace that Istio goes to."""
REVISION_LABEL: Final = "istio.io/rev"
NAMESPACE_LABEL: Final = "istio-injection"
DEFAULT_REVISION: Final = "default"
"""What the only control plane of a cluster calls itself, whose objects bear no revision in their names."""
MESH_CONFIG: Final = "istio"
"""ConfigMap with the mesh-wide configuration; gateways mount it too."""
INJECTOR: Final = "istio-sidecar-injector"
"""ConfigMap with the injection template; also the name of the webhook that asks for it."""
XDS_PORT: Final = 15012
"""istiod's discovery and certificates over TLS."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What every part of one control plane's installation refers to."""

    values: Values
    root: str = ROOT
    """The namespace that Istio goes to."""

    @property
    def revision(self) -> str:
        """The revision as labels tell it."""
        return self.values.revision or DEFAULT_REVISION

    @property
    def labels(self) -> Mapping[str, str]:
        """The label of everything that belongs to this control plane alone."""
        return {REVISION_LABEL: self.revision}

    @property
    def injection_label(self) -> Mapping[str, str]:
        """The label of namespaces whose pods this control plane injects."""
        return self.labels if self.values.revision else {NAMESPACE_LABEL: "enabled"}

    def named(self, name: str) -> str:
        """The name of an object of which every control plane has its own."""
        return f"{name}-{self.values.revision}" if self.values.revision else name

    @property
    def discovery_address(self) -> str:
        """Host and port at which proxies find istiod."""
        return f"{self.named('istiod')}.{self.root}.svc:{XDS_PORT}"
