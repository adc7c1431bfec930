"""The settings of a stack: every key of the config namespace `mesh`, with its type, default and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from mesh import releases
from mesh.analysis.policies import PolicyName
from mesh.analysis.policies.policy import Level
from mesh.analysis.suppression import Analysis
from mesh.apps.app import App
from mesh.apps.plain import Entry
from mesh.config import revisions, tags
from mesh.config.addons import Addons
from mesh.config.revisions import ControlPlane, ReleaseName, profile_of_release
from mesh.core import errors, typed
from mesh.core.disclosure import Disclosure
from mesh.core.kubernetes import Name, PortNumber, ServiceType
from mesh.core.names import REVISION_LABEL, MeshNames
from mesh.core.typed import Deciding, ShortForm
from mesh.patches.patch import Patch
from mesh.releases.release import Installation
from mesh.security.config import Security
from mesh.traffic.config import Traffic
from mesh.traffic.rate_limits import RateLimit
from mesh.values.revision import Revision, SomeRevision
from mesh.values.values import Values

NAMESPACE: Final = "mesh"
"""Config namespace of the settings. Keys in it that are not fields of `Settings` are errors."""
INGRESS: Final = "istio-ingressgateway"
"""The gateway to which `gatewayServiceType` and `ingressNodePorts` apply."""

Ownership = Literal["create", "existing"]
Seconds = Annotated[int, Field(ge=1)]


class SettingsError(errors.UserError):
    """The config is invalid. The message has a line for each problem: the key, its value and what is valid."""


class InjectedNamespace(ShortForm):
    """A namespace whose pods get a sidecar. `create` or `existing` is short for a map with this `ownership`."""

    short_forms = "create, existing"

    ownership: Ownership
    """`create`: the stack creates and deletes the namespace. `existing`: the stack only sets the injection label."""
    revision: SomeRevision = ""
    """Revision of the control plane that injects, or a tag that stands for one: the label `istio.io/rev`. The stack's
    workloads are restarted when it changes. The control plane of the stack's own keys injects if it is not set."""
    injection: Literal["auto", "manual"] = "auto"
    """`auto`: istiod injects sidecars when pods are created. `manual`: this program adds sidecars to the workloads that
    it deploys."""


class Bookinfo(ShortForm):
    """The Bookinfo sample application."""

    short_forms = "true, false"

    namespace: Name = "default"
    """Namespace of the application, which must be one of `injectedNamespaces`."""
    gateway: bool = True
    """Whether to install a Gateway and a VirtualService that serve the product page by HTTP at any host. Set it to
    false if `traffic.hosts` has a host for it."""


class Settings(Values):
    """The keys of the config namespace `mesh`: those of the stack itself, and the installation's values, which override
    the profile."""

    release: ReleaseName = releases.DEFAULT
    """Minor version of Istio. Put it in quotes: YAML reads 1.10 without quotes as the number 1.1."""
    profile: Annotated[str, Deciding] = "default"
    """Installation profile of the release. The other keys override its values."""
    gatewayServiceType: ServiceType | None = None
    """Service type of `istio-ingressgateway`; that of the profile if not set. Short for
    `gateways.istio-ingressgateway.type`."""
    ingressNodePorts: dict[str, PortNumber] = {}
    """Node ports of `istio-ingressgateway`, by name of the Service's port. Short for `nodePort` in
    `gateways.istio-ingressgateway.ports`."""
    controlPlanes: dict[Revision, ControlPlane] = {}
    """Further control planes of the same mesh, by revision; see [Upgrades](docs/upgrade.md)."""
    nodeAddress: Annotated[str, Deciding] | None = None
    """Host name or address of a node, for URLs with node ports; the address of the first node if not set."""
    injectedNamespaces: dict[Name, InjectedNamespace] = {}
    """Namespaces whose pods get a sidecar. `create`: the stack creates and deletes the namespace. `existing`: the stack
    only sets the injection label. A map can also set `injection`: `auto`, or `manual` for sidecars in the manifests of
    the stack's workloads."""
    namespaces: dict[Name, Ownership] = {}
    """Namespaces without injection, for gateways, the CNI plugin or the rate-limit service. `create`: the stack creates
    and deletes the namespace. `existing`: it is left as it is."""
    bookinfo: Bookinfo | None = None
    """The Bookinfo sample application; not installed if not set. `true` installs it with the defaults."""
    apps: dict[Name, App] = {}
    """Services of your own, in files; see [Apps](docs/apps.md)."""
    objects: list[Entry] = []
    """Plain Kubernetes objects that no other key can describe, such as a Sidecar or a Telemetry: files and folders of
    the project, or the objects themselves; see [Plain Kubernetes objects](docs/objects.md)."""
    patches: tuple[Patch, ...] = ()
    """Changes to the stack's objects that no other key can make, as strategic merge patches or JSON patches; see
    [Patches](docs/patches.md)."""
    traffic: Traffic = Traffic()
    """Traffic management: routing between services, ingress hosts, and egress; see [Traffic](docs/traffic.md)."""
    security: Security = Security()
    """Mutual TLS, authorization between services, and JWT authentication of users; see [Security](docs/security.md)."""
    rateLimit: RateLimit = RateLimit()
    """Settings of the rate-limit service. It is installed if `traffic` has a global rate limit."""
    addons: Addons = Addons()
    """Observability addons: Prometheus, Jaeger, Loki, Grafana, Kiali; none if not set."""
    restartOnInjectionChange: bool = False
    """Whether the stack's workloads are restarted when their sidecar would change: by the injection template, the image
    or the proxy configuration. Otherwise they keep the old sidecar until they are restarted for another reason."""
    injectionGate: bool = True
    """Whether workloads in injected namespaces are created only after istiod has patched its webhooks. Set it to false
    only on a cluster where no istiod runs."""
    keepDefinitions: bool = False
    """Whether Istio's CRDs, and with them the custom resources of everybody, outlive the stack. Takes effect with the
    next `up`."""
    analysis: Analysis = Analysis()
    """Findings that the analysis of the stack's objects, before they are registered, and its policies leave out."""
    policies: dict[PolicyName, Level] = {}
    """Enforcement levels of policies, by name; `all` sets that of all others; see [Policies](docs/policies.md)."""
    publicValues: tuple[str, ...] = ()
    """Names of environment variables, headers and proxy metadata whose values reports and previews show. Other values
    of these kinds are hidden, except for numbers, booleans, durations, and variables that Istio defines."""
    timeout: Seconds = 300
    """Seconds within which each object must become ready, or be deleted."""
    context: Annotated[str, Deciding] | None = None
    """Kubeconfig context of the stack's cluster; `mesh-dev` and `mesh-today` are the embedded ones. If not set, it must
    be given as `CONTEXT`."""

    _profile = field_validator("profile")(profile_of_release)

    @field_validator("injectedNamespaces", mode="before")
    @classmethod
    def _ownership(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"ownership": item} if isinstance(item, str) else item for name, item in value.items()}

    @field_validator("bookinfo", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        return {True: Bookinfo(), False: None}.get(value, value) if isinstance(value, bool) else value

    def check(self) -> typed.Findings:
        yield from super().check()
        images = tags.images_of_control_plane(self.pilot, self.global_) | tags.images_of_nodes(self)
        given = tags.tags_of_control_plane(self.tag, self.pilot) | tags.tags_of_proxies(self)
        yield from tags.release_mismatches(given, images, self.release)
        yield from tags.unknown_compatibility(self.compatibilityVersion, self.release)

    @property
    def installation(self) -> Installation:
        """The control plane of the stack's own keys: its release with its values."""
        return next(iter(self.installations.values()))

    @property
    def releases(self) -> tuple[str, ...]:
        """The names of the releases of all control planes; first that of the stack's own keys."""
        return tuple(dict.fromkeys((self.release, *(one.release for one in self.controlPlanes.values()))))

    @property
    def _main(self) -> Installation:
        return Installation(
            release=releases.get(self.release),
            values=self,
            traced=self.addons.jaeger is not None,
            collector=self.addons.existing.collector,
        )

    @property
    def installations(self) -> Mapping[str, Installation]:
        """The control planes of the stack by revision: first the one of its own keys, then the further ones."""
        return revisions.installations(self._main, self.controlPlanes)

    def revision_of(self, name: str) -> str:
        """The revision that a revision or a tag stands for; without a name, that of the stack's own keys. It may be
        that of a control plane of another stack."""
        return self.revisionTags.get(name, name) or self._main.revision

    def control_plane_of(self, name: str) -> Installation:
        """The control plane of a revision or tag; that of the stack's own keys if another stack has it."""
        return self.installations.get(self.revision_of(name), self.installation)

    @property
    def injection_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of the namespaces with automatic injection."""
        return {
            name: {REVISION_LABEL: one.revision} if one.revision else self._main.injection_label
            for name, one in self.injectedNamespaces.items()
            if one.injection == "auto"
        }

    @property
    def disclosure(self) -> Disclosure:
        """Which values reports and previews show."""
        known = (releases.get(name).variables for name in self.releases)
        return Disclosure(frozenset[str](self.publicValues).union(*known))

    @property
    def mesh_names(self) -> MeshNames:
        """The names that are needed to interpret the stack's objects."""
        domain = self.global_.proxy.clusterDomain
        return MeshNames(root=self.config_root, home=self.root, domain=domain, release=self.release)

    @property
    def uses_root_namespace(self) -> bool:
        """Whether any object is installed in Istio's namespace."""
        return super().uses_root_namespace or bool(self.addons.chosen)

    @property
    def ownership(self) -> dict[str, Ownership]:
        """Ownership of all declared namespaces, with and without injection."""
        return {name: item.ownership for name, item in self.injectedNamespaces.items()} | self.namespaces
