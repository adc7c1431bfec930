"""RBAC permissions of Istio 1.10's control plane, gateways and CNI plugin."""

from __future__ import annotations

from typing import Final

from mesh.core.names import CNI
from mesh.releases.release import Installation, Roles
from mesh.releases.roles import Account, Grant, PolicyRules
from mesh.releases.v1_10.istiod import ACCOUNT

_READ: Final = "get list watch"
_WRITE: Final = "create delete get list patch update watch"
_GROUPS: Final = "config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io"
_REVIEWS: Final[PolicyRules] = (
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
)

_READER: Final[PolicyRules] = (
    (_GROUPS, "*", _READ),
    ("core", "endpoints pods services nodes replicationcontrollers namespaces secrets", _READ),
    ("networking.istio.io", "workloadentries", _READ),
    ("apiextensions.k8s.io", "customresourcedefinitions", _READ),
    ("discovery.k8s.io", "endpointslices", _READ),
    ("apps", "replicasets", _READ),
    *_REVIEWS,
)
"""What the control plane of another cluster may read."""
_WEBHOOKS: Final[PolicyRules] = (
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", f"{_READ} update patch"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", f"{_READ} update"),
)
_MANAGER: Final[PolicyRules] = (("core", "configmaps", "create get list watch update"), *_WEBHOOKS)
"""What the control plane of another cluster may do if this one has none of its own."""
_ISTIOD: Final[PolicyRules] = (
    *_WEBHOOKS,
    (f"{_GROUPS} telemetry.istio.io", "*", _READ),
    ("networking.istio.io", "workloadentries", _WRITE),
    ("networking.istio.io", "workloadentries/status", _WRITE),
    ("apiextensions.k8s.io", "customresourcedefinitions", _READ),
    ("core", "pods nodes services namespaces endpoints", _READ),
    ("discovery.k8s.io", "endpointslices", _READ),
    ("networking.k8s.io", "ingresses ingressclasses", _READ),
    ("networking.k8s.io", "ingresses/status", "*"),
    ("core", "configmaps", "create get list watch update"),
    (
        "certificates.k8s.io",
        "certificatesigningrequests certificatesigningrequests/approval certificatesigningrequests/status",
        "create delete get update watch",
    ),
    *_REVIEWS,
    ("networking.x-k8s.io", "*", _READ),
    ("networking.x-k8s.io", "*", "update"),
    ("core", "secrets", _READ),
    ("multicluster.x-k8s.io", "serviceexports", f"{_READ} create delete"),
)
"""Cluster-wide permissions of istiod."""
_ANALYSIS: Final[PolicyRules] = (
    (f"{_GROUPS} telemetry.istio.io", "*", "update"),
    ("extensions networking.k8s.io", "ingresses", _READ),
    ("extensions networking.k8s.io", "ingresses/status", "*"),
)
"""Additional permissions for istiod's analysis, which writes its findings into the status of objects."""
_SIGNING: Final[PolicyRules] = (("certificates.k8s.io", "signers", "approve", "kubernetes.io/legacy-unknown"),)
"""Permission to approve signing requests, by which istiod gets certificates from Kubernetes."""
_IN_NAMESPACE: Final[PolicyRules] = (
    ("networking.istio.io", "gateways", "create"),
    ("core", "secrets", "create get watch list update delete"),  # istiod keeps its CA certificate in one
)
"""Permissions of istiod in its own namespace."""
_GATEWAY: Final[PolicyRules] = (("core", "secrets", _READ),)  # TLS certificates
_CNI: Final[PolicyRules] = (("core", "pods nodes", "get"),)
_REPAIR: Final[PolicyRules] = (
    ("core", "pods", "get list watch delete patch update"),
    ("core", "events", "get list watch delete patch update create"),
)
_TAINT: Final[PolicyRules] = (
    ("core", "pods", "get list watch patch"),
    ("core", "nodes", "get list watch update patch"),
    ("core", "configmaps", "get list"),
    ("coordination.k8s.io", "leases", "get list create update"),
)


def reader(mesh: Installation) -> Account:
    """The service account by which the control plane of another cluster reads this cluster."""
    external = _MANAGER if mesh.values.global_.externalIstiod else ()
    table = {f"istio-reader-{mesh.root}": (*_READER, *external)}
    return Account(name="istio-reader-service-account", labels={"app": "istio-reader"}, on_cluster=table)


def istiod(mesh: Installation) -> Account:
    """The service account of istiod."""
    name, analysis = f"istiod-{mesh.root}", _ANALYSIS if mesh.values.global_.istiod.enableAnalysis else ()
    return Account(
        name=ACCOUNT,
        labels={"app": "istiod"},
        on_cluster={name: (*_ISTIOD, *analysis, *_SIGNING)},
        in_namespace={name: _IN_NAMESPACE},
    )


def cni(mesh: Installation) -> list[Grant]:
    """Cluster-wide permissions of the CNI plugin, of its repair of pods that started before it, and of its
    removal of taints."""
    chosen = mesh.values.cni
    parts = [("repair", _REPAIR, chosen.repair.enabled), ("taint", _TAINT, chosen.taint.enabled)]
    return [Grant(role=CNI, rules=_CNI), *(_of_part(name, rules) for name, rules, enabled in parts if enabled)]


def _of_part(name: str, rules: PolicyRules) -> Grant:
    whole = f"istio-cni-{name}"
    labels = {"k8s-app": whole}
    return Grant(role=f"{whole}-role", rules=rules, binding=f"{whole}-rolebinding", binding_labels=labels)


ROLES: Final = Roles(reader=reader, istiod=istiod, revisioned=False, gateway=_GATEWAY, cni=cni, ztunnel=lambda _: ())
