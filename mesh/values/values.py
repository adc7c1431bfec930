"""All installation settings. A profile, and a stack's config, each override some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from mesh.api import MeshConfig
from mesh.core import errors
from mesh.core.kubernetes import Annotations, Name, ServiceName
from mesh.core.typed import Deciding, Documented, Form
from mesh.values.cni import Cni
from mesh.values.gateway import Gateway, InjectedGateways
from mesh.values.pilot import Base, DisruptionBudget, Experimental, IstiodRemote, Pilot
from mesh.values.proxy import Global
from mesh.values.revision import Revision, SomeRevision
from mesh.values.telemetry import Telemetry
from mesh.values.workload import AS_ALL, Hub, OwnImage, without_digest
from mesh.values.ztunnel import Ztunnel

IMAGES: Final = ("pilot", "proxyv2", "install-cni", "ztunnel")
"""Names of Istio's images."""

Digest = Annotated[
    str, Field(pattern=r"^sha256:[0-9a-f]{64}$"), Form("digest: `sha256:` and 64 digits, 0 to 9 and a to f")
]


class SidecarInjectorWebhook(Documented):
    """Sidecar injection: pods that are injected, and templates."""

    enableNamespacesByDefault: bool = False
    """Whether pods of namespaces without an injection label are injected."""
    reinvocationPolicy: Literal["Never", "IfNeeded"] = "Never"
    """`IfNeeded`: pods that other webhooks change after the injection are injected again."""
    rewriteAppHTTPProbe: bool = True
    """Whether HTTP probes of injected pods are rewritten to go to the agent, which forwards them to the application."""
    injectedAnnotations: Annotations = {}
    """Annotations to add to every injected pod."""
    alwaysInjectSelector: tuple[dict[str, Any], ...] = ()
    """Label selectors of pods that are injected even if `global.proxy.autoInject` is `disabled`."""
    neverInjectSelector: tuple[dict[str, Any], ...] = ()
    """Label selectors of pods that are never injected."""
    defaultTemplates: tuple[str, ...] = ()
    """Names of the templates for pods that name none; `sidecar` if empty."""
    templates: dict[str, str] = {}
    """Additional injection templates, by name."""


class Values(Documented):
    """All installation settings. Names are those of IstioOperator's `spec` and `spec.values`."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    hub: Hub = ""
    """Registry and path of Istio's images, such as `docker.io/istio`; those of the release if not set."""
    tag: Annotated[str, AfterValidator(without_digest)] = ""
    """Tag of Istio's images, such as `1.10.3-distroless`; the version of the release if not set."""
    images: dict[Literal["pilot", "proxyv2", "install-cni", "ztunnel"], Digest] = {}
    """Digests of Istio's images, `sha256:…`, by name of the image. A digest replaces the tag."""
    compatibilityVersion: Annotated[str, Deciding] = ""
    """An earlier minor version of Istio, such as `1.28`, whose behavior is kept where this one changed it. Put it in
    quotes."""
    revision: SomeRevision = ""
    """Revision of the control plane; needed if a cluster has several. It is appended to the names of its objects."""
    revisionTags: dict[Revision, Revision] = {}
    """Tags: names that stand for a revision, as values of the label `istio.io/rev`. A map of tag to revision, such as
    `prod: 1-30-3`; the revision `default` is the control plane without a name. The tag `default` also injects the
    namespaces with `istio-injection: enabled`."""
    meshConfig: MeshConfig = MeshConfig()
    """Mesh-wide configuration: Istio's MeshConfig."""
    base: Base = Base()
    """Cluster-wide objects, which all control planes on a cluster share."""
    pilot: Pilot = Pilot()
    """The control plane, istiod."""
    istiodRemote: IstiodRemote = IstiodRemote()
    """Access to a control plane on another cluster."""
    gateways: dict[ServiceName, Gateway] = {}
    """Gateways by name, which is that of their Deployment and Service: changes to those of the profile, and additional
    ones."""
    cni: Cni = Cni()
    """Istio's CNI plugin, for redirecting traffic without privileged init containers."""
    ztunnel: Ztunnel = Ztunnel()
    """ztunnel, the node proxy of ambient mode."""
    injectedGateways: InjectedGateways = InjectedGateways()
    """Pods of gateways whose proxy is injected, and of those that istiod deploys."""
    gatewayClasses: dict[Name, dict[str, Any]] = {}
    """Defaults of the objects that istiod deploys for Gateways of the Gateway API, by GatewayClass and part, such as
    `istio: {service: {spec: {type: ClusterIP}}}`."""
    pdb: DisruptionBudget = DisruptionBudget()
    """The PodDisruptionBudget of istiod."""
    experimental: Experimental = Experimental()
    """Features that may change."""
    global_: Global = Field(default=Global(), alias="global")
    """Settings of all of Istio's components: sidecars, logs, image pull secrets."""
    telemetry: Telemetry = Telemetry()
    """Telemetry of the proxies: filters that generate Istio's standard metrics."""
    sidecarInjectorWebhook: SidecarInjectorWebhook = SidecarInjectorWebhook()
    """Sidecar injection: pods that are injected, and templates."""

    @field_validator("hub")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError(f"{errors.show(value)}: a registry and a path, without a trailing slash")
        return value

    @property
    def runs_istiod(self) -> bool:
        """Whether an istiod runs on this cluster: a control plane, or one that injects only."""
        return self.pilot.enabled or (self.istiodRemote.enabled and self.istiodRemote.enabledLocalInjectorIstiod)

    @property
    def holds_config(self) -> bool:
        """Whether a control plane, on this cluster or another, reads Istio's objects on this cluster."""
        elsewhere = self.global_.configCluster or self.global_.externalIstiod
        return self.pilot.enabled or (self.istiodRemote.enabled and elsewhere)

    @property
    def trusts_istiod(self) -> bool:
        """Whether an istiod has an account on this cluster: one that runs here, or that is configured here."""
        return not self.istiodRemote.enabled or self.global_.configCluster or self.runs_istiod

    @property
    def root(self) -> str:
        """Istio's namespace."""
        return self.global_.istioNamespace

    @property
    def config_root(self) -> str:
        """The root namespace, whose objects of Istio's API are for the whole mesh."""
        return self.meshConfig.rootNamespace or self.root

    @property
    def uses_root_namespace(self) -> bool:
        """Whether any object is installed in Istio's namespace."""
        gateways = any(gateway.enabled and not gateway.namespace for gateway in self.gateways.values())
        nodes = any(part.enabled and not part.namespace for part in (self.cni, self.ztunnel))
        documents = self.istiodRemote.enabled and (
            self.pilot.configMap or not self.global_.omitSidecarInjectorConfigMap or self.telemetry.installed
        )
        return self.runs_istiod or gateways or nodes or documents

    def image(self, name: str, variant: str = "", own: OwnImage = AS_ALL) -> str:
        """The full reference of an image: `name` itself if it contains a slash, otherwise the image of `hub` with this
        name, by digest or tag. `variant` replaces `global.variant`, and `own` the hub and the tag, as far as it has
        them."""
        if "/" in name:
            return name
        digest: Mapping[Any, str] = self.images
        hub = own.hub or self.hub
        if name in digest and not own.tag:
            return f"{hub}/{name}@{digest[name]}"
        return "-".join(filter(None, (f"{hub}/{name}:{own.tag or self.tag}", variant or self.global_.variant)))
