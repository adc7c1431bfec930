"""The objects that an Istio can leave on a cluster: one list for all code that looks for them.

Installers leave the objects that an incomplete uninstallation did not reach. istiod leaves the objects that it created
while it ran, which no installer deletes. The names are those of all releases from 1.4 (galley, citadel, a separate
pilot) to 1.30.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from cluster import client
from cluster.client import Api
from cluster.errors import ClusterError, NotFound
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import CNI_CONFIG, CNI_NODE, MODE_LABEL, NAMESPACE_LABEL, OWNER_PROJECT, REVISION_LABEL

Manifest = Mapping[str, Any]

_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
INJECTORS: Final = f"{_ADMISSION}/mutatingwebhookconfigurations"
VALIDATORS: Final = f"{_ADMISSION}/validatingwebhookconfigurations"

_SERVICE: Final = re.compile(r"istiod|istio-(galley|pilot|sidecar-injector)(-|$)")
"""Services that webhooks of Istio call: since 1.5 istiod, with its revision or tag; before, one for each component."""
_HOOK: Final = re.compile(r"(^|\.)(validation|sidecar-injector)\.istio\.io$")
"""Names of webhooks within a configuration: `validation.istio.io`, `rev.namespace.sidecar-injector.istio.io`."""
_CONFIGURATION: Final = re.compile(r"istio-(galley|sidecar-injector|validator|revision-tag)(-|$)|istiod-")
"""Names of webhook configurations: `istio-galley` (1.4), `istiod-<namespace>` (1.5 to 1.10), `istiod-default-validator`
and `istio-validator-<revision>-<namespace>` (later releases), `istio-revision-tag-<tag>`."""
_ROLE: Final = re.compile(
    r"(istiod|ztunnel|istio-(reader|galley|pilot|mixer|policy|citadel|nodeagent|security|sidecar-injector|init|cni"
    r"|operator|multi|istiocoredns|grafana-post-install))(-|$)"
)
POLICY: Final = re.compile(r"stable-channel-.*\.istio\.io$")
"""Admission policies that refuse the unstable parts of Istio's API, and their bindings."""

_ELECTIONS: Final = (
    *("istio-leader", "istio-status-leader", "istio-analyze-leader", "istio-ingress-controller-leader-istio"),
    *("istio-gateway-leader", "istio-gateway-status-leader", "istio-gateway-deployment-leader"),
    *("istio-ip-autoallocate", "istio-node-untaint"),
    *(
        f"istio-{what}-controller-election"
        for what in ("namespace", "serviceexport", "validation", "clustertrustbundle")
    ),
)
"""ConfigMaps by which istiod's replicas elect a leader; newer elections use Leases."""


def is_istios(configuration: Manifest) -> bool:
    """Whether a webhook configuration is one of Istio's."""
    return bool(_CONFIGURATION.match(configuration["metadata"]["name"])) or any(
        _HOOK.search(hook.get("name", "")) or is_istiod(hook) for hook in configuration.get("webhooks") or ()
    )


def is_istiod(webhook: Manifest) -> bool:
    """Whether an admission webhook calls a Service of Istio."""
    return bool(_SERVICE.match((webhook.get("clientConfig") or {}).get("service", {}).get("name", "")))


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One kind of object that an Istio leaves."""

    kind: GroupKind
    collection: str
    """The API path of all objects of the kind."""
    name: str = ""
    """The name of all of them; empty if `test` decides."""
    query: str = ""
    """The query by which the API server selects them."""
    label: str = ""
    """Only this label of the object is a leftover, and the object is not; empty if the object itself is one."""
    test: Callable[[Manifest], bool] = lambda _: True
    effect: str = ""
    """Its effect on a mesh that is installed beside it; empty if it has none."""

    @property
    def path(self) -> str:
        query = f"fieldSelector={quote(f'metadata.name={self.name}')}" if self.name else self.query
        return f"{self.collection}?{query}" if query else self.collection


def _named(pattern: re.Pattern[str]) -> Callable[[Manifest], bool]:
    return lambda manifest: bool(pattern.match(manifest["metadata"]["name"]))


def _labelled(label: str) -> Callable[[Manifest], bool]:
    return lambda manifest: label in (manifest["metadata"].get("labels") or {})


def _in_group(definition: Manifest) -> bool:
    return str((definition.get("spec") or {}).get("group", "")).endswith(".istio.io")


def _of_gateways(gateway_class: Manifest) -> bool:
    return str((gateway_class.get("spec") or {}).get("controllerName", "")).startswith("istio.io/")


_CORE, _RBAC = "/api/v1", "/apis/rbac.authorization.k8s.io/v1"
_LEASE: Final = GroupKind("Lease", "coordination.k8s.io")
_GATEWAY_CLASS: Final = GroupKind("GatewayClass", "gateway.networking.k8s.io")
_SAYS_NO: Final = "it refuses objects of Istio's API"
_REDIRECTS: Final = "it redirects the traffic of pods as well"

MADE_BY_ISTIOD: Final = (
    *(
        Trace(kind=kinds.CONFIG_MAP, collection=f"{_CORE}/configmaps", name=name)
        # the root certificate and its revocations in every namespace (`istio-security`: 1.4), elections in istiod's own
        for name in ("istio-ca-root-cert", "istio-ca-crl", "istio-security", *_ELECTIONS)
    ),
    # the key of istiod's certificate authority, and the certificates of 1.4's citadel
    Trace(kind=kinds.SECRET, collection=f"{_CORE}/secrets", name="istio-ca-secret"),
    Trace(kind=kinds.SECRET, collection=f"{_CORE}/secrets", query="fieldSelector=type%3Distio.io/key-and-cert"),
    Trace(kind=_LEASE, collection="/apis/coordination.k8s.io/v1/leases", test=_named(re.compile("istio-"))),
    Trace(
        kind=_GATEWAY_CLASS,
        collection="/apis/gateway.networking.k8s.io/v1/gatewayclasses",
        test=_of_gateways,
    ),
)
"""Objects that istiod (and before it citadel and galley) creates while it runs. `make down PURGE=1` deletes them."""

INSTALLED: Final = (
    Trace(kind=kinds.MUTATING_WEBHOOK, collection=INJECTORS, test=is_istios, effect="it refuses pods"),
    Trace(kind=kinds.VALIDATING_WEBHOOK, collection=VALIDATORS, test=is_istios, effect=_SAYS_NO),
    *(
        Trace(
            kind=GroupKind(f"ValidatingAdmissionPolicy{part}", "admissionregistration.k8s.io"),
            collection=f"{_ADMISSION}/validatingadmission{plural}",
            test=_named(POLICY),
            effect=_SAYS_NO,
        )
        for part, plural in (("", "policies"), ("Binding", "policybindings"))
    ),
    *(
        Trace(kind=kinds.DAEMON_SET, collection="/apis/apps/v1/daemonsets", name=name, effect=_REDIRECTS)
        for name in (CNI_NODE, "ztunnel")
    ),
    Trace(kind=kinds.CONFIG_MAP, collection=f"{_CORE}/configmaps", name=CNI_CONFIG),
    Trace(kind=kinds.CLUSTER_ROLE, collection=f"{_RBAC}/clusterroles", test=_named(_ROLE)),
    Trace(kind=kinds.CLUSTER_ROLE_BINDING, collection=f"{_RBAC}/clusterrolebindings", test=_named(_ROLE)),
    Trace(
        kind=kinds.CUSTOM_RESOURCE_DEFINITION,
        collection="/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        test=_in_group,
    ),
    *(
        Trace(kind=kinds.NAMESPACE, collection=f"{_CORE}/namespaces", label=label, test=_labelled(label))
        for label in (NAMESPACE_LABEL, REVISION_LABEL, MODE_LABEL)
    ),
)
"""Objects that installers create: istioctl, its operator, and Helm."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """An object, or a label of a namespace, that an Istio has left."""

    trace: Trace
    namespace: str
    """Empty for cluster-scoped objects."""
    name: str

    @property
    def path(self) -> str:
        """The API path of the object."""
        root, _, plural = self.trace.collection.rpartition("/")
        place = f"namespaces/{self.namespace}/" if self.namespace else ""
        return f"{root}/{place}{plural}/{self.name}"

    def removal(self, context: str = "") -> str:
        """The command that removes it."""
        at = f" --context {context}" if context else ""
        if self.trace.label:
            return f"kubectl label namespace {self.name} {self.trace.label}-{at}"
        where = f" --namespace {self.namespace}" if self.namespace else ""
        return f"kubectl delete {self.trace.kind.name.lower()} {self.name}{where}{at}"

    def __str__(self) -> str:
        what = f"label {self.trace.label} of namespace" if self.trace.label else self.trace.kind.name.lower()
        return f"{what} {'/'.join(filter(None, (self.namespace, self.name)))}"


def made_by_istiod(api: Api) -> Iterator[Leftover]:
    """The objects that istiod has created and left. Raises Refused if the caller may not list one of the kinds."""
    for trace in MADE_BY_ISTIOD:
        yield from _found(trace, api)


def readable(api: Api, traces: Iterable[Trace] = (*MADE_BY_ISTIOD, *INSTALLED)) -> Iterator[Leftover]:
    """The leftovers of an Istio that the caller may list."""
    for trace in traces:
        with suppress(ClusterError):
            yield from _found(trace, api)


def _found(trace: Trace, api: Api) -> Iterator[Leftover]:
    try:
        items = client.items(api, trace.path)
    except NotFound:  # the API server does not serve the kind
        return
    for item in items:
        meta = item["metadata"]
        # Definitions that a stack of this project has kept (`mesh:keepDefinitions`) are its own.
        kept = OWNER_PROJECT in (meta.get("annotations") or {})
        name = meta.get("name", trace.name)
        if not kept and name == (trace.name or name) and trace.test(item):
            yield Leftover(trace=trace, namespace=meta.get("namespace") or "", name=name)
