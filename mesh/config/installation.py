"""One control plane's installation: what decides it, where it is, and what its objects are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.config.values.values import Values
from mesh.core.names import DEFAULT_REVISION, NAMESPACE_LABEL, REVISION_LABEL, ROOT, XDS_PORT


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
