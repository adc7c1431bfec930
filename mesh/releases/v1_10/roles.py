"""What Istio 1.10's control plane, gateways and network plugin may do on a cluster."""

from __future__ import annotations

from typing import Final

from mesh.releases.roles import Roles, Table

_READ: Final = "get list watch"
_WRITE: Final = "create delete get list patch update watch"
_ISTIO: Final = "config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io"
_REVIEWS: Final[Table] = (
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
)

ROLES: Final = Roles(
    reader=(
        (_ISTIO, "*", _READ),
        ("core", "endpoints pods services nodes replicationcontrollers namespaces secrets", _READ),
        ("networking.istio.io", "workloadentries", _READ),
        ("apiextensions.k8s.io", "customresourcedefinitions", _READ),
        ("discovery.k8s.io", "endpointslices", _READ),
        ("apps", "replicasets", _READ),
        *_REVIEWS,
    ),
    istiod=(
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
    ),
    analysis=(
        (f"{_ISTIO} telemetry.istio.io", "*", "update"),
        ("extensions networking.k8s.io", "ingresses", _READ),
        ("extensions networking.k8s.io", "ingresses/status", "*"),
    ),
    signing=(("certificates.k8s.io", "signers", "approve", "kubernetes.io/legacy-unknown"),),
    istiod_namespace=(
        ("networking.istio.io", "gateways", "create"),
        ("core", "secrets", "create get watch list update delete"),  # it keeps its certificate authority in one
    ),
    gateway=(("core", "secrets", _READ),),  # its TLS certificates
    cni=(("core", "pods nodes", "get"),),
    repair=(
        ("core", "pods", "get list watch delete patch update"),
        ("core", "events", "get list watch delete patch update create"),
    ),
)
