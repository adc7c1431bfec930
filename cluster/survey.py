"""The survey of a cluster before the first resource is registered: version, identity, and what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import NOT_FOUND
from typing import Any, Final

from cluster import client, leftovers, proxy
from cluster.client import Api, Request
from cluster.errors import ClusterError, Unreachable
from cluster.target import OFFLINE, Target, offline
from mesh import api
from mesh.core import kinds

_PATHS: Final = {
    "version": "/version",
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes?limit=1",
    "injectors": leftovers.INJECTORS,
    "validators": leftovers.VALIDATORS,
    "groups": "/apis",
}
_POLICIES: Final = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
_KINDS: Final = {"injectors": kinds.MUTATING_WEBHOOK, "validators": kinds.VALIDATING_WEBHOOK}
_WORK: Final = {"injectors": "injection", "validators": "validation"}
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Blocking:
    """A leftover of an Istio that makes the API server refuse objects that a mesh needs."""

    kind: str
    name: str
    why: str
    """What is missing, and what the API server refuses until the object is removed."""

    @property
    def removal(self) -> str:
        """The command that removes it, without the context."""
        return f"kubectl delete {self.kind.lower()} {self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.why}"


@dataclass(frozen=True)
class Definition:
    """A custom resource definition of Istio's API."""

    annotations: Mapping[str, str]
    served: frozenset[str] = frozenset()
    """The versions that the API server serves."""
    stored: frozenset[str] = frozenset()
    """The versions in which objects are stored, or have been."""


@dataclass(frozen=True)
class Survey:
    """What the API server reports about a cluster."""

    target: Target
    uid: str
    """The cluster's identity: the uid of its namespace kube-system, which never changes."""
    version: tuple[int, int]
    namespaces: Mapping[str, Mapping[str, str]]
    """The annotations of each namespace, by name."""
    istio: str | None
    """The evidence of an installed Istio control plane, as text for messages; None if there is none."""
    node: str | None
    """Address of the first node: its ExternalIP, or else its InternalIP; None if it has neither."""
    injectors: frozenset[str] = frozenset()
    """Names of the MutatingWebhookConfigurations."""
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    """Istio's custom resource definitions, by name."""
    blocking: Sequence[Blocking] = ()
    """Leftovers of an Istio that would refuse pods or objects of Istio's API."""
    abandoned: bool = False
    """Whether the webhooks that are the evidence of an Istio have no Services, so that nothing answers them."""


def take(target: Target) -> Survey:
    """Connects to a cluster and surveys it. Raises Unreachable if it does not answer, or ClusterError if it refuses."""
    if offline():
        raise Unreachable(f"{OFFLINE} is set")
    if target.kubeconfig and not target.kubeconfig.exists():
        raise Unreachable("the embedded cluster has not been started")
    with proxy.connect(target) as server:
        return read(target, server)


def read(target: Target, server: Api) -> Survey:
    """Surveys a cluster through a connection that is already open."""
    requests = [Request("GET", path) for path in _PATHS.values()]
    answers = dict(zip(_PATHS, client.ask_all(server, requests), strict=True))
    if answers["version"].code in (200, 404) and "major" not in answers["version"].body:
        raise ClusterError(f"{target.server} answers, but not as a Kubernetes API server does")
    found = {what: client.object_in(answer) for what, answer in answers.items()}
    version = found["version"]
    namespaces = {n["metadata"]["name"]: n["metadata"] for n in found["namespaces"]["items"]}
    theirs = [(what, one) for what in _KINDS for one in found[what]["items"] if leftovers.is_istios(one)]
    dead = [(what, one) for what, one in theirs if _is_dead(one, server)]
    return Survey(
        target,
        namespaces["kube-system"]["uid"],
        (int(version["major"]), int(re.sub(r"\D", "", version["minor"]))),
        {name: metadata.get("annotations") or {} for name, metadata in namespaces.items()},
        next((_described(*one) for one in theirs), None),
        _address(found["nodes"]["items"]),
        frozenset(webhook["metadata"]["name"] for webhook in found["injectors"]["items"]),
        _definitions(server) if any(g["name"].endswith(".istio.io") for g in found["groups"]["groups"]) else {},
        [*_refusing(dead), *([] if len(dead) < len(theirs) else _policies(server))],
        bool(theirs) and len(dead) == len(theirs),
    )


def _described(what: str, configuration: Mapping[str, Any]) -> str:
    meta = configuration["metadata"]
    return f"{_WORK[what]} webhook {meta['name']}, {_installer(meta)}"


def _is_dead(configuration: Mapping[str, Any], server: Api) -> bool:
    """Whether none of the Services that a webhook configuration calls exists. An address outside of the cluster, or a
    Service that the caller may not read, counts as existing."""
    hooks = configuration.get("webhooks") or ()
    services = [(hook.get("clientConfig") or {}).get("service") for hook in hooks]
    return all(service is not None and _is_missing(service, server) for service in services)


def _is_missing(service: Mapping[str, str], server: Api) -> bool:
    path = f"/api/v1/namespaces/{service.get('namespace')}/services/{service['name']}"
    return server.ask(Request("GET", path)).code == NOT_FOUND


def _refusing(dead: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Blocking]:
    """The configurations that refuse everything since their Service does not exist: failurePolicy Fail, the default."""
    for what, one in dead:
        closed = [hook for hook in one.get("webhooks") or () if hook.get("failurePolicy", "Fail") == "Fail"]
        if closed:
            service = closed[0]["clientConfig"]["service"]
            where = f"{service.get('namespace')}/{service['name']}"
            refused = "pods" if what == "injectors" else "objects of Istio's API"
            why = (
                f"its Service {where} does not exist, so the {refused} that it selects are refused (failurePolicy Fail)"
            )
            yield Blocking(_KINDS[what].name, one["metadata"]["name"], why)


def _policies(server: Api) -> Iterator[Blocking]:
    """The bindings of an Istio's admission policies; API servers before Kubernetes 1.30 have none."""
    answer = server.ask(Request("GET", _POLICIES))
    for binding in (answer.body.get("items") or []) if answer.ok else []:
        if leftovers.POLICY.match(name := binding["metadata"]["name"]):
            why = "it refuses EnvoyFilters, with which this release collects telemetry"
            yield Blocking("ValidatingAdmissionPolicyBinding", name, why)


def _definitions(server: Api) -> Mapping[str, Definition]:
    """Istio's custom resource definitions on the cluster, of any supported release.

    An update that was killed may have left only some of them."""
    ours = set(map(api.definition_name, api.kinds()))
    found = client.items(server, _DEFINITIONS)
    return {one["metadata"]["name"]: _definition(one) for one in found if one["metadata"]["name"] in ours}


def _definition(found: Mapping[str, Any]) -> Definition:
    return Definition(
        annotations=found["metadata"].get("annotations") or {},
        served=frozenset(one["name"] for one in found["spec"]["versions"] if one["served"]),
        stored=frozenset((found.get("status") or {}).get("storedVersions") or ()),
    )


def _installer(meta: Mapping[str, Any]) -> str:
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    if "meta.helm.sh/release-name" in annotations:
        return f"installed by Helm as release {annotations['meta.helm.sh/release-name']}"
    if any("operator.istio.io" in label for label in labels):
        return "installed by istioctl or the Istio operator"
    return "installed by other means"


def _address(nodes: Iterable[Mapping[str, Any]]) -> str | None:
    for node in nodes:
        found = {a["type"]: a["address"] for a in node.get("status", {}).get("addresses", [])}
        return found.get("ExternalIP") or found.get("InternalIP")
    return None
