"""Everything that decides what is installed. Profiles and stacks are differences of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, field_validator

from mesh.api import MeshConfig
from mesh.core import errors
from mesh.core.kubernetes import Annotations, Name, ObjectName, PullPolicy, Resources, ServiceName
from mesh.core.typed import Documented
from mesh.values.gateway import Gateway
from mesh.values.pilot import Base, IstiodRemote, Pilot
from mesh.values.proxy import Global

IMAGES: Final = ("pilot", "proxyv2", "install-cni")
"""Istio's images."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Repair(Documented):
    """What becomes of pods that started before the network plugin was there."""

    enabled: bool = True
    """Whether they are looked for."""
    labelPods: bool = True
    """Whether they are labelled."""
    deletePods: bool = True
    """Whether they are deleted, so that new ones come."""
    initContainerName: str = "istio-validation"
    """The init container by whose failure they are known."""
    brokenPodLabelKey: str = "cni.istio.io/uninitialized"
    """Key of the label."""
    brokenPodLabelValue: str = "true"
    """Value of the label."""


class Cni(Documented):
    """Istio's network plugin, which redirects traffic in place of a privileged init container in each pod."""

    enabled: bool = False
    """Whether it is installed and used."""
    namespace: Name | None = None
    """Where its DaemonSet runs, such as `kube-system`; Istio's own namespace if not set."""
    image: str = "install-cni"
    """An image of the hub; with a slash: a full reference."""
    pullPolicy: PullPolicy = ""
    """When nodes fetch it; `global.imagePullPolicy` if empty."""
    logLevel: str = "info"
    """Level of the plugin's log."""
    cniBinDir: str = "/opt/cni/bin"
    """Folder of the network plugins on a node."""
    cniConfDir: str = "/etc/cni/net.d"
    """Folder of their configuration."""
    cniConfFileName: str = ""
    """File in it that is changed or written; the first one if empty."""
    chained: bool = True
    """Whether the plugin joins that file's chain, or has a file of its own."""
    excludeNamespaces: tuple[Name, ...] = ("istio-system",)
    """Namespaces whose pods it leaves alone."""
    podAnnotations: Annotations = {}
    """Annotations of the pods."""
    resources: Resources = Resources()
    """Requests and limits of the containers."""
    psp_cluster_role: ObjectName = ""
    """A ClusterRole that the plugin's account gets, such as one that may use a PodSecurityPolicy."""
    repair: Repair = Repair()
    """What becomes of pods that started before it."""


class Wasm(Documented):
    """A filter's form."""

    wasmEnabled: bool = False
    """Whether it runs as WebAssembly in sidecars, or compiled into the proxy."""


class Prometheus(Wasm):
    """Istio's standard metrics."""

    enabled: bool = True
    """Whether proxies measure."""


class TelemetryV2(Documented):
    """The filters in the proxies."""

    enabled: bool = True
    """Whether they are installed."""
    metadataExchange: Wasm = Wasm()
    """By which proxies tell each other who they are."""
    prometheus: Prometheus = Prometheus()
    """Istio's standard metrics."""


class Telemetry(Documented):
    """What proxies tell about traffic."""

    enabled: bool = True
    """Whether they tell anything."""
    v2: TelemetryV2 = TelemetryV2()
    """The filters by which they do."""

    @property
    def installed(self) -> bool:
        """Whether there are any filters."""
        return self.enabled and self.v2.enabled


class SidecarInjectorWebhook(Documented):
    """Which pods get a sidecar, and what it is made from."""

    enableNamespacesByDefault: bool = False
    """Whether namespaces without a label are injected."""
    rewriteAppHTTPProbe: bool = True
    """Whether the kubelet's HTTP probes go to the agent, which hands them on."""
    injectedAnnotations: Annotations = {}
    """Annotations that every injected pod gets."""
    alwaysInjectSelector: tuple[dict[str, Any], ...] = ()
    """Label selectors of pods that are injected where they need not ask for it."""
    neverInjectSelector: tuple[dict[str, Any], ...] = ()
    """Label selectors of pods that are never injected."""
    defaultTemplates: tuple[str, ...] = ()
    """Templates for pods that do not name any; `sidecar` if empty."""
    templates: dict[str, str] = {}
    """Further templates by name."""


class Values(Documented):
    """Everything that decides what is installed. Names are those of IstioOperator: its `spec` and `spec.values`."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    hub: str = ""
    """Registry and path of Istio's images, without a trailing slash; those of the release if not set."""
    tag: str = ""
    """Tag of Istio's images; the release's version if not set."""
    images: dict[Literal["pilot", "proxyv2", "install-cni"], Digest] = {}
    """Digests of Istio's images, `sha256:…`, by name; one of them is used in place of the tag."""
    revision: Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", max_length=40)] = ""
    """Name of the control plane among several on a cluster, and part of its objects' names; empty for the only one."""
    meshConfig: MeshConfig = MeshConfig()
    """What holds for the whole mesh: Istio's MeshConfig."""
    base: Base = Base()
    """What every control plane on a cluster shares."""
    pilot: Pilot = Pilot()
    """The control plane, istiod."""
    istiodRemote: IstiodRemote = IstiodRemote()
    """A control plane that runs on another cluster."""
    gateways: dict[ServiceName, Gateway] = {}
    """Gateways by the name of their Deployment and Service: those of the profile with differences, and further ones."""
    cni: Cni = Cni()
    """Istio's network plugin."""
    global_: Global = Field(default=Global(), alias="global")
    """What concerns everything that Istio runs: proxies, logs, pull secrets."""
    telemetry: Telemetry = Telemetry()
    """What proxies tell about traffic."""
    sidecarInjectorWebhook: SidecarInjectorWebhook = SidecarInjectorWebhook()
    """Which pods get a sidecar, and what it is made from."""

    @field_validator("hub")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value or value.endswith("/"):
            raise ValueError(f"{errors.show(value)}: a registry and a path, without a trailing slash")
        return value

    @field_validator("tag")
    @classmethod
    def _no_digest(cls, value: str) -> str:
        if "@" in value:
            raise ValueError(f"{errors.show(value)}: each image has a digest of its own; put them into images")
        return value

    @property
    def uses_root_namespace(self) -> bool:
        """Whether anything goes into Istio's own namespace."""
        gateways = any(gateway.enabled and not gateway.namespace for gateway in self.gateways.values())
        cni = self.cni.enabled and not self.cni.namespace
        documents = self.istiodRemote.enabled and (
            self.pilot.configMap or not self.global_.omitSidecarInjectorConfigMap or self.telemetry.installed
        )
        return self.pilot.enabled or gateways or cni or documents

    def image(self, name: str) -> str:
        """The reference of an image: as it is with a slash, else the hub's of that name, by digest or tag."""
        if "/" in name:
            return name
        digest: Mapping[Any, str] = self.images
        return f"{self.hub}/{name}@{digest[name]}" if name in digest else f"{self.hub}/{name}:{self.tag}"
