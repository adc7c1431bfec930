"""What the control plane may do on the cluster: tables of rules, as Istio 1.10 needs them."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

Rule = tuple[str, str, str]
"""API groups, resources and verbs, each separated by blanks; `core` is the core group."""

_READ: Final = "get list watch"
_WRITE: Final = "create delete get list patch update watch"
_ISTIO: Final = "config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io"
_REVIEWS: Final[tuple[Rule, ...]] = (
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
)

READER: Final[tuple[Rule, ...]] = (
    (_ISTIO, "*", _READ),
    ("core", "endpoints pods services nodes replicationcontrollers namespaces secrets", _READ),
    ("networking.istio.io", "workloadentries", _READ),
    ("apiextensions.k8s.io", "customresourcedefinitions", _READ),
    ("discovery.k8s.io", "endpointslices", _READ),
    ("apps", "replicasets", _READ),
    *_REVIEWS,
)
"""What another cluster's control plane may read here."""

ISTIOD: Final[tuple[Rule, ...]] = (
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", f"{_READ} update patch"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", f"{_READ} update"),
    (f"{_ISTIO} telemetry.istio.io", "*", _READ),
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
"""What istiod may do on the whole cluster."""

ANALYSIS: Final[tuple[Rule, ...]] = (
    (f"{_ISTIO} telemetry.istio.io", "*", "update"),
    ("extensions networking.k8s.io", "ingresses", _READ),
    ("extensions networking.k8s.io", "ingresses/status", "*"),
)
"""What istiod may do beside it where it writes the mistakes that it finds into the status of objects."""

ISTIOD_NAMESPACE: Final[tuple[Rule, ...]] = (
    ("networking.istio.io", "gateways", "create"),
    ("core", "secrets", "create get watch list update delete"),
)
"""What istiod may do in its own namespace: keep its certificate authority."""

GATEWAY: Final[tuple[Rule, ...]] = (("core", "secrets", _READ),)
"""What a gateway may do in its namespace: read its TLS certificates."""

CNI: Final[tuple[Rule, ...]] = (("core", "pods nodes", "get"),)
"""What the network plugin may read."""

REPAIR: Final[tuple[Rule, ...]] = (
    ("core", "pods", "get list watch delete patch update"),
    ("core", "events", "get list watch delete patch update create"),
)
"""What the repair of pods that started without the network plugin may do."""

SIGNER: Final = k8s.rbac.v1.PolicyRuleArgs(
    api_groups=["certificates.k8s.io"],
    resources=["signers"],
    resource_names=["kubernetes.io/legacy-unknown"],
    verbs=["approve"],
)
"""Approving the certificates of istiod itself, where Kubernetes signs them."""


def rules(table: tuple[Rule, ...]) -> list[k8s.rbac.v1.PolicyRuleArgs]:
    """The table as Kubernetes' policy rules."""
    return [
        k8s.rbac.v1.PolicyRuleArgs(
            api_groups=["" if group == "core" else group for group in groups.split()],
            resources=resources.split(),
            verbs=verbs.split(),
        )
        for groups, resources, verbs in table
    ]


def reference(kind: str, name: str) -> k8s.rbac.v1.RoleRefArgs:
    """A binding's role, of kind `Role` or `ClusterRole`."""
    return k8s.rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind=kind, name=name)


def account(name: str, namespace: pulumi.Input[str] | None = None) -> list[k8s.rbac.v1.SubjectArgs]:
    """A binding's subjects: one service account; without a namespace, the binding's own."""
    return [k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=name, namespace=namespace)]
