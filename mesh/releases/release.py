"""`Release`, a release of Istio, and `Installation`, one control plane that is installed from it.

Everything that is specific to a release is defined in its folder and reached through its `Release`, which an
installation and the settings of a stack hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypedDict

from mesh import releases
from mesh.api import EnvoyFilter, MeshProxyConfig, Versions
from mesh.core.kinds import GroupKind
from mesh.core.lacking import Lacks
from mesh.core.merge import Data, merged
from mesh.core.names import DEFAULT_REVISION, INJECTOR, NAMESPACE_LABEL, REVISION_LABEL, ROOT, TAG_LABEL, XDS_PORT
from mesh.core.typed import Findings
from mesh.proxy.injector import Injector
from mesh.releases import lacking
from mesh.releases.addons import Addons, KialiView
from mesh.releases.differences import Differences, order
from mesh.releases.policies import AdmissionPolicy, NetworkPolicy
from mesh.releases.profiles import Profiles
from mesh.releases.refusals import Refusals
from mesh.releases.remote import RemoteService
from mesh.releases.roles import Account, Grant, PolicyRules
from mesh.releases.webhooks import WebhookConfiguration
from mesh.values.gateway import Gateway
from mesh.values.values import Values


class PodTemplate(TypedDict):
    """A Kubernetes PodTemplateSpec, with Kubernetes' field names."""

    metadata: dict[str, Any]
    spec: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bookinfo:
    """The sample application Bookinfo."""

    hub: str
    """Registry and path of its images, without a trailing slash."""
    tag: str
    user: int | None = None
    """The uid as which its containers run; that of the images if None."""
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Annotations of pods, by service."""


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """Versions of Kubernetes, as (major, minor), for a release."""

    oldest: tuple[int, int]
    """The oldest one on which the release is installed."""
    reason: str
    """Why older ones do not suffice; follows `is needed:` in a message."""
    newest: tuple[int, int] | None = None
    """The newest one that the Istio project supports; None if even `oldest` is newer than that."""

    @property
    def supported(self) -> str:
        """The versions that the Istio project supports, such as `1.32 to 1.36`; empty if `oldest` is newer."""
        return f"{'.'.join(map(str, self.oldest))} to {'.'.join(map(str, self.newest))}" if self.newest else ""


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Images of the rate limit service and its store, which are not part of Istio."""

    image: str
    """Image of Envoy's rate limit service; its tag is a commit."""
    redis: str
    """Image of Redis, the store."""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A revision tag: a value of the label `istio.io/rev` that stands for a revision."""

    name: str
    revision: str
    """The revision; `default` is the control plane without a name."""
    implied: bool = False
    """Whether it follows from the installation, and is not one of the values."""
    service: bool = False
    """Whether there is a Service of its name, which leads to the control plane."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its objects."""
        return {REVISION_LABEL: self.revision, TAG_LABEL: self.name}


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Istio's annotations in a release."""

    readers: Mapping[str, tuple[GroupKind, ...]]
    """The kinds that read each annotation, beside those of pods that the injector checks; empty: all."""
    deprecated: Mapping[str, str]
    """The replacement of each deprecated annotation; empty if there is none."""


@dataclass(frozen=True, kw_only=True)
class Requests:
    """How the proxies of a release treat requests, where releases differ."""

    hosts_ignore_case: bool
    """Whether AuthorizationPolicies compare hosts without regard to case."""
    path_templates: bool
    """Whether `{*}` in paths of AuthorizationPolicies stands for a segment, and `{**}` for any number of them."""
    missing_is_empty: bool
    """Whether a header that a request lacks counts as empty in `withoutHeaders`; otherwise a condition on its value
    fits no request that lacks it."""
    claim_routes: bool
    """Whether routes of gateways may ask for claims of tokens, in place of headers."""
    pilot: Mapping[str, str]
    """Environment variables with which the pilot of the live sandbox does what the release does by default."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What `istioctl analyze` of a release says, where releases differ."""

    gateway_targets: bool
    """Whether a Gateway may name the pods' port that a Service leads to; else it names the Service's own (IST0104)."""
    gateway_api: Mapping[str, tuple[int, int, int]]
    """The least version that it reads of the Gateway API's definitions, by their name, where there is one (IST0176)."""
    image_of_each: bool
    """Whether the finding about a proxy with another image names its pods (IST0105) and not their namespace
    (IST0158)."""
    wants_services: bool
    """Whether each Deployment of the mesh needs a Service (IST0117)."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """RBAC permissions of the parts of an installation."""

    reader: Callable[[Installation], Account | None]
    """The service account by which the control plane of another cluster reads this cluster; None if there is none."""
    istiod: Callable[[Installation], Account | None]
    """The service account of istiod; None if this installation needs none."""
    revisioned: bool
    """Whether each control plane has roles, and istiod's account, of its own; otherwise all on a cluster share them."""
    gateway: PolicyRules
    """Permissions of a gateway in its namespace."""
    cni: Callable[[Installation], Iterable[Grant]]
    """Cluster-wide permissions of the CNI plugin."""
    ztunnel: Callable[[Installation], PolicyRules]
    """Cluster-wide permissions of ztunnel; it has no role without any."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release of Istio: its versions and images, and everything that differs between releases."""

    name: str
    """The minor version, such as `1.10`; a stack selects it with `mesh:release`."""
    version: str
    """The patch version, such as `1.10.3`, which is also the tag of the images."""
    hub: str
    """Registry and path of the images, without a trailing slash."""
    architectures: tuple[str, ...]
    """CPU architectures of the images, as in the node label `kubernetes.io/arch`."""
    kubernetes: Kubernetes
    end_of_life: str
    """The day (ISO 8601) on which the Istio project ended or ends its support."""
    bulletins: tuple[str, ...]
    """Istio's security bulletins about authorization policies that the release enforces incorrectly; `CHECKS` in
    mesh/analysis/policies/access.py knows what they say."""
    cert_providers: tuple[str, ...]
    """The providers of istiod's own certificate, `global.pilotCertProvider`; one that ends with `/` is the prefix of
    several ones."""
    runs_istiod: bool
    """Whether the sandbox runs its own istiod, a current one, as the control plane of this release."""
    differences: Differences
    """The changes in meaning of this release and of those before it."""
    bookinfo: Bookinfo
    addons: Addons
    """The addons of the samples."""
    rate_limit: RateLimit

    profiles: Profiles
    """The installation profiles."""
    api: Versions
    """Kinds of Istio's API and their versions."""
    roles: Roles
    """Service accounts and RBAC permissions."""
    remote_service: Callable[[Installation], RemoteService | None]
    """The Service that leads to a control plane on another cluster; None if the values have none."""
    remote_problems: Callable[[Values, str], Iterable[tuple[str, str]]]
    """The problems of a profile's values that are to use a control plane on another cluster: keys and texts."""
    tags: Callable[[Installation], Sequence[Tag]]
    """The revision tags."""
    injection_webhooks: Callable[[Installation], Sequence[WebhookConfiguration]]
    """The mutating webhooks that inject sidecars: those of this control plane first, then those of its tags."""
    validation_webhooks: Callable[[Installation], Sequence[WebhookConfiguration]]
    """The webhooks that validate Istio's objects."""
    admission_policies: Callable[[Installation], Iterable[AdmissionPolicy]]
    """The policies of the API server for Istio's objects."""
    network_policies: Callable[[Installation], Iterable[NetworkPolicy]]
    """The NetworkPolicies of Istio's own pods."""
    telemetry_filters: Callable[[Installation], Iterable[tuple[str, EnvoyFilter]]]
    """The EnvoyFilters for telemetry by name; none if the proxies need none."""

    requests: Requests
    analysis: Analysis
    annotations: Annotations
    """The annotations that it knows."""
    refusals: Refusals
    """Istio's settings that have no key here, with the reason."""
    variables: frozenset[str]
    """Names of the environment variables of istiod and the agents that the release defines; their values are public."""
    proxy_defaults: Mapping[str, Any]
    """The defaults of `proxy_config`, among fields that the release lacks."""
    proxy_refused: Callable[[Mapping[str, Any]], Findings]
    """The problems that Istio finds in a whole ProxyConfig, beyond what the types refuse and the release lacks."""
    unsupported_regex: re.Pattern[str]
    """Matches, at its start, a part of a regular expression that the current RE2 supports and the release does not."""

    mesh_config: Callable[[Installation], dict[str, Any]]
    """The MeshConfig."""
    injection_values: Callable[[Installation], dict[str, Any]]
    """The values that the injection templates read (`.Values`)."""
    injection_templates: Callable[[], dict[str, str]]
    """The injection templates (Go templates) by name."""
    injector: Injector
    """The model of template `sidecar`, and what else injection does with a pod."""
    istiod_pod: Callable[[Installation], PodTemplate]
    """The pods of istiod."""
    gateway_pod: Callable[[Installation, str, Gateway], PodTemplate]
    """The pods of a gateway with a Deployment of its own, given its name and values."""
    gateway_labels: Mapping[str, str]
    """Labels of a gateway's Deployment beyond those of its other objects."""
    cni_pod: Callable[[Installation], PodTemplate]
    """The pods of the CNI plugin, one on each node."""
    cni_config: Callable[[Installation], Mapping[str, dict[str, str]]]
    """The data of the ConfigMaps that the CNI plugin and what comes with it read, by name."""
    ztunnel_pod: Callable[[Installation], PodTemplate] | None
    """The pods of ztunnel, one on each node; None if the release has no ztunnel."""
    single_budgets: bool
    """Whether Deployments that may have only one pod get disruption budgets, which keep this pod in place."""
    kiali_config: Callable[[Installation, KialiView], dict[str, Any]]
    """The configuration of the addon Kiali."""

    @cached_property
    def proxy_config(self) -> Mapping[str, Any]:
        """The default of each field of the ProxyConfig, in the order of its definition; None if it is empty."""
        lacks = Lacks(self.api.lacks)
        return {name: value for name, value in self.proxy_defaults.items() if not lacks.field(MeshProxyConfig, name)}

    def refused_proxy_config(self, config: Mapping[str, Any]) -> Findings:
        """The problems that Istio finds in a whole ProxyConfig, whose fields all have a value, beyond those of the
        types."""
        yield from lacking.of_mesh_config(self.name, MeshProxyConfig, config)
        yield from self.proxy_refused(config)

    def values(self, profile: str, differences: Data | None = None) -> Values:
        """A profile's values with `differences` merged in. Raises KeyError for an unknown profile."""
        return Values.model_validate(self.values_data(profile, differences or {}))

    def values_data(self, profile: str, differences: Data) -> dict[str, Any]:
        """The same values as data that is not validated."""
        return self.profiles.values_data(profile, merged({"hub": self.hub, "tag": self.version}, differences))


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The installation of one control plane: its release, its values, and the names that follow from them."""

    release: Release
    values: Values
    traced: bool = False
    """Whether the addon Jaeger is to get the spans of the proxies."""
    collector: str = ""
    """`host:port` of an existing collector that gets the spans of the proxies; empty if there is none."""
    others: Mapping[str, Release] = field(default_factory=dict)
    """The releases of the mesh's further control planes that the same stack installs, by revision."""

    further: bool = False
    """Whether the stack has another main control plane, which installs what a cluster has only once: node agents."""

    def beside(self, others: Mapping[str, Release]) -> Installation:
        """The same control plane among others."""
        return replace(self, others=others)

    @property
    def root(self) -> str:
        """Istio's namespace."""
        return self.values.root

    @property
    def config_root(self) -> str:
        """The root namespace, whose objects of Istio's API are for the whole mesh."""
        return self.values.config_root

    @property
    def api(self) -> Versions:
        """The kinds of Istio's API in the versions in which objects are written: those of the oldest release, which all
        control planes know. The webhook of 1.10 refuses newer ones."""
        return min((self.release, *self.others.values()), key=_age).api

    @property
    def newest(self) -> Release:
        """The release of the CRDs, which serve the older versions, too: the newest one of the mesh's control planes, or
        a newer one."""
        ahead = self.values.base.release
        early = (releases.get(ahead),) if ahead in releases.NAMES else ()
        found: Release = max((self.release, *self.others.values(), *early), key=_age)
        return found

    @property
    def revision(self) -> str:
        """The revision, as in label `istio.io/rev`; `default` if the values set none."""
        return self.values.revision or DEFAULT_REVISION

    @property
    def on_cluster(self) -> bool:
        """Whether objects without a namespace are installed, and Istio's namespace itself."""
        return self.values.global_.resourceScope != "namespace"

    @property
    def in_namespaces(self) -> bool:
        """Whether objects in namespaces are installed."""
        return self.values.global_.resourceScope != "cluster"

    @property
    def labels(self) -> Mapping[str, str]:
        """The label of all objects that belong to this control plane alone."""
        return {REVISION_LABEL: self.revision}

    @property
    def injection_label(self) -> Mapping[str, str]:
        """The label of namespaces whose pods this control plane injects."""
        return self.labels if self.values.revision else {NAMESPACE_LABEL: "enabled"}

    def revisioned(self, name: str) -> str:
        """`name` with the revision appended, such as `istiod-canary`, for objects that each revision has separately."""
        return f"{name}-{self.values.revision}" if self.values.revision else name

    def cluster_wide(self, name: str) -> str:
        """`name` for an object without a namespace, such as a webhook: with Istio's namespace appended, unless that has
        its usual name."""
        return name if self.root == ROOT else f"{name}-{self.root}"

    @property
    def injector(self) -> str:
        """The name of the injection webhook."""
        return self.cluster_wide(self.revisioned(INJECTOR))

    @property
    def discovery_address(self) -> str:
        """`host:port` of istiod for proxies (xDS)."""
        return f"{self.revisioned('istiod')}.{self.root}.svc:{XDS_PORT}"


def _age(release: Release) -> tuple[int, ...]:
    return order(release.name)
