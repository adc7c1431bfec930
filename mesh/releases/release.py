"""A release of Istio as a value, and one installation of it.

Everything that is true of one release alone stands in the release's folder and is handed on as a `Release`. Whoever
needs it asks the release of the installation, or of the stack's settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.api import EnvoyFilter, Versions
from mesh.core.merge import Data, merged
from mesh.core.names import DEFAULT_REVISION, NAMESPACE_LABEL, REVISION_LABEL, ROOT, XDS_PORT
from mesh.proxy.expr import Node
from mesh.proxy.source import Source
from mesh.releases.profiles import Profiles
from mesh.releases.roles import Account, Table
from mesh.releases.webhooks import Configuration
from mesh.values.gateway import Gateway
from mesh.values.values import Values


@dataclass(frozen=True, kw_only=True)
class Addons:
    """What the samples of a release install beside Istio."""

    images: Mapping[str, str]
    """Full references of the addons' images, by container."""
    kiali: str
    """Kiali's version, as its objects' labels tell it; the image's tag follows the minor version."""
    grafana: str
    """Grafana's version."""


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Images of the rate-limit service and its store; neither is a part of Istio."""

    image: str
    """Envoy's rate-limit service, by the commit that its tag names."""
    redis: str
    """Redis."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What the parts of an installation may do on the cluster."""

    reader: Callable[[Installation], Account]
    """As whom another cluster's control plane reads here."""
    istiod: Callable[[Installation], Account]
    """As whom istiod runs."""
    gateway: Table
    """What a gateway may do in its namespace."""
    cni: Table
    """What the network plugin may do on the whole cluster."""
    repair: Table
    """What the repair of pods that started without the network plugin may do there."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of Istio: its versions and images, and all that is made otherwise in another release."""

    name: str
    """The minor version, such as `1.10`: how a stack asks for the release."""
    version: str
    """Istio's version; also the tag of its images."""
    hub: str
    """Where its images are, without a trailing slash."""
    architectures: tuple[str, ...]
    """What its images are built for, as Kubernetes calls it."""
    kubernetes: tuple[int, int]
    """The oldest Kubernetes (major, minor) whose APIs every object here uses."""
    end_of_life: str
    """The day (ISO 8601) on which the Istio project stopped or stops to support the release."""
    bulletins: tuple[str, ...]
    """Istio's security bulletins about access rules that its proxies enforce wrongly."""
    bookinfo: str
    """Tag of the Bookinfo images in the release's samples."""
    addons: Addons
    rate_limit: RateLimit

    profiles: Profiles
    """The installation profiles."""
    api: Versions
    """Kinds and versions of Istio's API."""
    roles: Roles
    """Accounts and roles."""
    injector: Callable[[Installation], Configuration]
    """The webhooks that inject sidecars."""
    validator: Callable[[Installation], Configuration]
    """The webhooks that check Istio's objects."""
    filters: Callable[[Installation], Iterable[tuple[str, EnvoyFilter]]]
    """The filters for telemetry, by name; none where proxies measure without."""

    mesh_config: Callable[[Installation], dict[str, Any]]
    """The mesh-wide configuration, Istio's MeshConfig."""
    injection_values: Callable[[Installation], dict[str, Any]]
    """What the injection templates read of the installation."""
    templates: Callable[[], dict[str, str]]
    """The injection templates by name, as Go templates."""
    sidecar: Callable[[Source], Node]
    """What injection adds to a pod, by what is known of the pod: the model of the template `sidecar`."""
    istiod_pod: Callable[[Installation], dict[str, Any]]
    """Containers, volumes and identity of istiod's pods."""
    gateway_pod: Callable[[Installation, str, Gateway], dict[str, Any]]
    """Containers, volumes, identity and affinity of the pods of a gateway that has a Deployment of its own."""

    def values(self, profile: str, differences: Data | None = None) -> Values:
        """The values of a profile with further differences; KeyError for a profile that the release does not have."""
        return Values.model_validate(self.changed(profile, differences or {}))

    def changed(self, profile: str, differences: Data) -> dict[str, Any]:
        """The same as data, not validated."""
        return self.profiles.changed(profile, merged({"hub": self.hub, "tag": self.version}, differences))


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One control plane's installation: the release, the values that decide what is installed, and what follows."""

    release: Release
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
