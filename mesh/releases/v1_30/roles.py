"""RBAC permissions of Istio 1.30's control plane, gateways and node agents."""

from __future__ import annotations

from typing import Final

from mesh.core.names import CNI, CNI_NODE
from mesh.releases.release import Installation, Roles
from mesh.releases.roles import Account, Grant, PolicyRules
from mesh.releases.v1_30.istiod import trust_bundles

_READ: Final = "get list watch"
_CHANGE: Final = "update patch"
_WRITE: Final = "create delete get list patch update watch"
_GROUPS: Final = (
    "config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io telemetry.istio.io"
    " extensions.istio.io"
)
_REVIEWS: Final[PolicyRules] = (
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
)
_DISCOVERY: Final[PolicyRules] = (
    (_GROUPS, "*", _READ),
    ("apiextensions.k8s.io", "customresourcedefinitions", _READ),
    ("discovery.k8s.io", "endpointslices", _READ),
    *_REVIEWS,
)
_CONFIG_MAPS: Final[PolicyRules] = (("core", "configmaps", "create get list watch update"),)
_WEBHOOKS: Final[PolicyRules] = (
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", f"{_READ} update patch"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", f"{_READ} update"),
)
_READER: Final[PolicyRules] = (
    *_DISCOVERY,
    ("core", "endpoints pods services nodes replicationcontrollers namespaces secrets configmaps", _READ),
    ("networking.istio.io", "workloadentries", _READ),
    ("networking.x-k8s.io gateway.networking.k8s.io", "gateways", _READ),
    ("apps", "replicasets", _READ),
)
"""What the control plane of another cluster may read."""

_GATEWAY_API: Final = "gateway.networking.k8s.io"
_WITH_ROUTES: Final = (
    "backendtlspolicies gatewayclasses gateways grpcroutes httproutes referencegrants tcproutes tlsroutes udproutes"
    " listenersets"
)
"""Kinds of the Gateway API whose status istiod writes."""


def _statuses(kinds: str) -> str:
    return " ".join(f"{kind}/status" for kind in kinds.split())


_ISTIOD: Final[PolicyRules] = (
    *_WEBHOOKS,
    *_DISCOVERY,
    *_CONFIG_MAPS,
    ("networking.istio.io", "workloadentries", _WRITE),
    ("networking.istio.io", "workloadentries/status serviceentries/status", _WRITE),
    ("security.istio.io", "authorizationpolicies/status", _WRITE),
    ("core", "services/status", _WRITE),
    ("core", "pods nodes services namespaces endpoints", _READ),
    ("core", "secrets", _READ),
    ("networking.k8s.io", "ingresses ingressclasses", _READ),
    ("networking.k8s.io", "ingresses/status", "*"),
    (f"{_GATEWAY_API} gateway.networking.x-k8s.io", "*", _READ),
    ("gateway.networking.x-k8s.io", "xbackendtrafficpolicies/status", _CHANGE),
    (_GATEWAY_API, _statuses(_WITH_ROUTES), _CHANGE),
    (_GATEWAY_API, "gatewayclasses", "create update patch delete"),
    ("inference.networking.k8s.io", "inferencepools", _READ),
    ("inference.networking.k8s.io", "inferencepools/status", _CHANGE),
)
"""Cluster-wide permissions of istiod."""
_WITH_STATUS: Final = (
    "authorizationpolicies destinationrules envoyfilters gateways peerauthentications proxyconfigs"
    " requestauthentications serviceentries sidecars telemetries virtualservices wasmplugins workloadentries"
    " workloadgroups"
)
_ANALYSIS: Final[PolicyRules] = (
    (_GROUPS, _statuses(_WITH_STATUS), _CHANGE),
    ("extensions networking.k8s.io", "ingresses", _READ),
    ("extensions networking.k8s.io", "ingresses/status", "*"),
)
"""Additional permissions for istiod's analysis, which writes its findings into the status of objects."""
_TRUST_BUNDLES: Final[PolicyRules] = (
    ("certificates.k8s.io", "clustertrustbundles", "update create delete list watch get"),
    ("certificates.k8s.io", "signers", "attest", "istio.io/istiod-ca"),
)
"""Additional permissions for a trust bundle of the cluster in place of a ConfigMap in each namespace."""
_DEPLOYER: Final[PolicyRules] = (
    ("apps", "deployments", _WRITE),
    ("autoscaling", "horizontalpodautoscalers", _WRITE),
    ("policy", "poddisruptionbudgets", _WRITE),
    ("core", "services", _WRITE),
    ("core", "serviceaccounts", _WRITE),
)
"""Permissions to deploy what Gateways of the Gateway API ask for."""
_IN_NAMESPACE: Final[PolicyRules] = (
    ("networking.istio.io", "gateways", "create"),
    ("core", "secrets", "create get watch list update delete"),  # istiod keeps its CA certificate in one
    ("core", "configmaps", "delete"),
    ("coordination.k8s.io", "leases", "get update patch create"),
)
"""Permissions of istiod in its own namespace."""
_GATEWAY: Final[PolicyRules] = (("core", "secrets", _READ),)  # TLS certificates
_PRIVILEGED: Final[PolicyRules] = (("security.openshift.io", "securitycontextconstraints", "use", "privileged"),)
"""Permission to run privileged pods on OpenShift."""


def reader(mesh: Installation) -> Account | None:
    """The service account by which the control plane of another cluster reads this cluster."""
    if not mesh.values.global_.enableReaderRBAC:
        return None
    remote = (*_CONFIG_MAPS, *_WEBHOOKS) if mesh.values.istiodRemote.enabled else ()
    name = f"{mesh.revisioned('istio-reader-clusterrole')}-{mesh.root}"
    return Account(
        name="istio-reader-service-account",
        labels={"app": "istio-reader"},
        on_cluster={name: (*_READER, *_multicluster(mesh), *remote)},
    )


def istiod(mesh: Installation) -> Account | None:
    """The service account of istiod; a remote one needs it only if this cluster holds its configuration or has an
    injector of its own."""
    values = mesh.values
    if not values.trusts_istiod:
        return None
    name = mesh.revisioned("istiod")
    table = {f"{mesh.revisioned('istiod-clusterrole')}-{mesh.root}": (*_ISTIOD, *_multicluster(mesh), *_chosen(mesh))}
    if values.pilot.env.get("PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER") != "false":
        table[f"{mesh.revisioned('istiod-gateway-controller')}-{mesh.root}"] = _DEPLOYER
    return Account(
        name=name,
        labels={"app": "istiod"},
        annotations=values.pilot.serviceAccountAnnotations,
        on_cluster=table,
        in_namespace={name: _IN_NAMESPACE},
    )


def _multicluster(mesh: Installation) -> PolicyRules:
    """Access to services that are shared between clusters (the multicluster services API)."""
    group = mesh.values.pilot.env.get("MCS_API_GROUP") or "multicluster.x-k8s.io"
    return ((group, "serviceexports", f"{_READ} create delete"), (group, "serviceimports", _READ))


def _chosen(mesh: Installation) -> PolicyRules:
    """Permissions of istiod that its settings ask for."""
    chosen, pilot = mesh.values.global_, mesh.values.pilot
    rules: list[PolicyRules] = []
    if chosen.istiod.enableAnalysis:
        rules.append(_ANALYSIS)
    if pilot.taint.enabled:
        rules.append((("core", "nodes", "patch"),))
    if pilot.env.get("EXTERNAL_CA") or chosen.pilotCertProvider not in ("istiod", "custom", "none"):
        requests = " ".join(f"certificatesigningrequests{part}" for part in ("", "/approval", "/status"))
        rules.append(
            (
                ("certificates.k8s.io", requests, "update create get delete watch"),
                ("certificates.k8s.io", "signers", "approve", " ".join(chosen.certSigners)),
            )
        )
    if trust_bundles(mesh):
        rules.append(_TRUST_BUNDLES)
    return tuple(rule for table in rules for rule in table)


def cni(mesh: Installation) -> list[Grant]:
    """Cluster-wide permissions of the CNI plugin, and of its repair and ambient mode."""
    values = mesh.values.cni
    privileged = _PRIVILEGED if mesh.values.global_.platform == "openshift" else ()
    grants = [Grant(role=CNI, rules=(("core", "pods nodes namespaces", _READ), *privileged))]
    repairs = {"k8s-app": f"{CNI}-repair"}
    if values.repair.enabled:
        binding = f"{CNI}-repair-rolebinding"
        grants.append(Grant(role=f"{CNI}-repair-role", rules=_repair(mesh), binding=binding, binding_labels=repairs))
    if values.ambient.enabled:
        rules: PolicyRules = (("core", "pods/status", _CHANGE), ("apps", "daemonsets", "get", CNI_NODE))
        grants.append(Grant(role=f"{CNI}-ambient", rules=rules, binding_labels=repairs))
    return grants


def _repair(mesh: Installation) -> PolicyRules:
    """Pods are repaired in place, or else deleted, or else labelled: the first that is switched on."""
    repair, common = mesh.values.cni.repair, (("core", "events", "create patch"), ("core", "pods", _READ))
    if repair.repairPods:
        return common
    if repair.deletePods:
        return (*common, ("core", "pods", "delete"))
    return (*common, ("core", "pods/status", _CHANGE)) if repair.labelPods else common


def ztunnel(mesh: Installation) -> PolicyRules:
    """Cluster-wide permissions of ztunnel."""
    return _PRIVILEGED if mesh.values.global_.platform == "openshift" else ()


ROLES: Final = Roles(reader=reader, istiod=istiod, revisioned=True, gateway=_GATEWAY, cni=cni, ztunnel=ztunnel)
