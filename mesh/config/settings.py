"""A stack's settings: every key of the config namespace `mesh`, its type, its default and what it means."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from mesh import releases
from mesh.analysis.policies import PolicyName
from mesh.analysis.policies.policy import Level
from mesh.analysis.suppression import Findings
from mesh.config import tags
from mesh.config.addons import Addons, expanded
from mesh.core import errors, typed
from mesh.core.kubernetes import Name, PortNumber, ServiceType
from mesh.core.names import MeshNames
from mesh.core.typed import ShortForm
from mesh.security.config import Security
from mesh.traffic.config import Traffic
from mesh.traffic.limits import RateLimit
from mesh.values.values import Values

NAMESPACE: Final = "mesh"
"""The config namespace; any key of it that is not a field of `Settings` is an error."""
INGRESS: Final = "istio-ingressgateway"
"""The gateway that `gatewayServiceType` and `ingressNodePorts` are about."""

Ownership = Literal["create", "existing"]
Seconds = Annotated[int, Field(ge=1)]


class SettingsError(errors.UserError):
    """The config is not usable; the text names each key, its value and what is possible instead."""


class InjectedNamespace(ShortForm):
    """A namespace whose pods get a sidecar; `create` or `existing` alone stands for a map with this ownership."""

    short_forms = "create, existing"

    ownership: Ownership
    """`create`: ours, made and removed with the stack. `existing`: somebody else's, which gets only a label."""
    injection: Literal["auto", "manual"] = "auto"
    """`auto`: by istiod, as pods are created. `manual`: by this program, into the workloads that it deploys."""


class Bookinfo(ShortForm):
    """The Bookinfo application."""

    short_forms = "true, false"

    namespace: Name = "default"
    """Where it runs; one of `injectedNamespaces`."""
    gateway: bool = True
    """Whether it brings a Gateway and a VirtualService for plain HTTP to any host; off where `traffic` has its own."""


class Settings(Values):
    """The keys of the config namespace `mesh`: the stack's own, and differences from its profile."""

    release: str = releases.DEFAULT
    """Minor version of Istio that is installed; in quotes, since YAML reads 1.10 without them as the number 1.1."""
    profile: str = "default"
    """Installation profile; one of the release's."""
    gatewayServiceType: ServiceType | None = None
    """Service type of `istio-ingressgateway`; the profile's own if not set. Short for `gateways`."""
    ingressNodePorts: dict[str, PortNumber] = {}
    """Fixed node ports of `istio-ingressgateway`, by the name of the Service's port. Short for `gateways`."""
    nodeAddress: str | None = None
    """Host name or address under which node ports are reached; the first node's if not set."""
    injectedNamespaces: dict[Name, InjectedNamespace] = {}
    """Namespaces whose pods get a sidecar. `create`: ours, made and removed with the stack. `existing`: somebody
    else's, which gets only a label. `injection` is `auto`, or `manual` for sidecars that are part of the stack's
    workloads."""
    namespaces: dict[Name, Ownership] = {}
    """Further namespaces in which the stack has gateways or the network plugin, without injection."""
    bookinfo: Bookinfo | None = None
    """The Bookinfo application, if wanted: `true`, or a map."""
    traffic: Traffic = Traffic()
    """How requests travel: between services, into the mesh, and out of it; see [Traffic](docs/traffic.md)."""
    security: Security = Security()
    """Mutual TLS, who may call whom, and tokens of users; see [Security](docs/security.md)."""
    rateLimit: RateLimit = RateLimit()
    """The rate-limit service, which the stack has where a limit of `traffic` is global."""
    addons: Addons = Addons()
    """What watches the mesh, if wanted: Prometheus, Jaeger, Grafana, Kiali."""
    restartOnInjectionChange: bool = False
    """Whether the stack's workloads restart when the sidecar that they would get changes: template, image, proxy
    configuration. Otherwise they keep the old one until something else restarts them."""
    injectionGate: bool = True
    """Whether workloads wait until istiod has patched its webhooks; off only where no istiod runs."""
    keepDefinitions: bool = False
    """Whether the definitions of Istio's API, and with them everybody's custom resources, outlive the stack. Counts
    from the next `up` on."""
    analysis: Findings = Findings()
    """What the analysis of the stack's objects, before they are registered, and its policies are to leave out."""
    policies: dict[PolicyName, Level] = {}
    """What follows from a finding of a policy, by the policy's name, or by `all`; see [Policies](docs/policies.md)."""
    timeout: Seconds = 300
    """Seconds that one object has to get ready, or to be gone."""
    context: str | None = None
    """The kubeconfig context of the stack's cluster. `mesh-dev` is the embedded cluster."""

    @field_validator("release")
    @classmethod
    def _is_a_release(cls, value: str) -> str:
        if value not in releases.NAMES:
            raise ValueError(tags.unknown_release(value))
        return value

    @field_validator("profile")
    @classmethod
    def _is_a_profile(cls, value: str, info: ValidationInfo) -> str:
        known = releases.get(info.data.get("release", releases.DEFAULT)).profiles.names
        if value not in known:
            raise ValueError(errors.not_one_of(value, known))
        return value

    @field_validator("injectedNamespaces", mode="before")
    @classmethod
    def _ownership(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"ownership": how} if isinstance(how, str) else how for name, how in value.items()}

    @field_validator("bookinfo", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        return {True: Bookinfo(), False: None}.get(value, value) if isinstance(value, bool) else value

    @field_validator("addons", mode="before")
    @classmethod
    def _addons(cls, value: Any) -> Any:
        return expanded(value)

    def check(self) -> typed.Findings:
        yield from super().check()
        yield from tags.release_mismatches(self, self.release)

    @property
    def mesh_names(self) -> MeshNames:
        """The names by which the stack's objects are read."""
        return MeshNames(domain=self.global_.proxy.clusterDomain)

    @property
    def uses_root_namespace(self) -> bool:
        """Whether anything goes into Istio's own namespace."""
        return super().uses_root_namespace or bool(self.addons.chosen)

    @property
    def ownership(self) -> dict[str, Ownership]:
        """Every namespace that is declared, injected or not."""
        return {name: how.ownership for name, how in self.injectedNamespaces.items()} | self.namespaces
