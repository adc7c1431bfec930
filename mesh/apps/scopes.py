"""The kinds of objects that are cluster-scoped: not in a namespace."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Final

from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.manifests import Manifest

CLUSTER: Final = frozenset(
    (
        *(GroupKind(name, "") for name in ("Namespace", "Node", "PersistentVolume")),
        *(GroupKind(name, "rbac.authorization.k8s.io") for name in ("ClusterRole", "ClusterRoleBinding")),
        *(
            GroupKind(name, "admissionregistration.k8s.io")
            for name in (
                *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
                *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
            )
        ),
        GroupKind("APIService", "apiregistration.k8s.io"),
        GroupKind("CertificateSigningRequest", "certificates.k8s.io"),
        GroupKind("ClusterTrustBundle", "certificates.k8s.io"),
        GroupKind("CustomResourceDefinition", "apiextensions.k8s.io"),
        GroupKind("FlowSchema", "flowcontrol.apiserver.k8s.io"),
        GroupKind("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io"),
        GroupKind("GatewayClass", "gateway.networking.k8s.io"),
        GroupKind("IngressClass", "networking.k8s.io"),
        GroupKind("PriorityClass", "scheduling.k8s.io"),
        GroupKind("RuntimeClass", "node.k8s.io"),
        *(GroupKind(name, "storage.k8s.io") for name in ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment")),
        GroupKind("ClusterIssuer", "cert-manager.io"),
    )
)
"""Cluster-scoped kinds of Kubernetes, and of other APIs that apps often use."""


def cluster_scoped(manifests: Iterable[Manifest]) -> Set[GroupKind]:
    """The cluster-scoped kinds, including those of the CRDs among the manifests."""
    defined = (one.body.get("spec") for one in manifests if one.kind == kinds.CUSTOM_RESOURCE_DEFINITION)
    wide = [spec for spec in defined if isinstance(spec, dict) and spec.get("scope") == "Cluster"]
    named = ((spec.get("names"), spec.get("group")) for spec in wide)
    own = {GroupKind(str(names.get("kind")), str(group)) for names, group in named if isinstance(names, dict)}
    return CLUSTER | own
