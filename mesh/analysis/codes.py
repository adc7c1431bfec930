"""What analysis can find: a code, how bad it is, and what it means.

`IST…` are the codes of `istioctl analyze`, with its meaning and its severity; `MESH…` are this project's own, for what
istioctl does not look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.analysis.findings import Code, Severity

_INFO, _WARNING, _ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR
_ALL: dict[str, Code] = {}
CODES: Final[Mapping[str, Code]] = _ALL
"""Everything that can be found, by code."""


def _code(code: str, name: str, severity: Severity, meaning: str) -> Code:
    _ALL[code] = Code(code=code, name=name, severity=severity, meaning=meaning)
    return _ALL[code]


DEPRECATED: Final = _code(
    "IST0002", "Deprecated", _WARNING, "A field is set that Istio has given up, or replaced by another."
)
NOT_FOUND: Final = _code(
    "IST0101",
    "ReferencedResourceNotFound",
    _ERROR,
    "A host, port, subset, gateway, workload, namespace or secret that an object names does not exist. A warning only"
    " for secrets, and for hosts in namespaces of which the stack says nothing: they may come from elsewhere.",
)
NOT_INJECTED: Final = _code(
    "IST0102", "NamespaceNotInjected", _INFO, "A namespace of the stack has workloads without a sidecar, and no label."
)
INVALID: Final = _code("IST0106", "SchemaValidationError", _ERROR, "An object of Istio's API is not valid.")
MISPLACED_ANNOTATION: Final = _code(
    "IST0107", "MisplacedAnnotation", _WARNING, "An annotation of Istio's is on a kind of object that does not read it."
)
UNKNOWN_ANNOTATION: Final = _code(
    "IST0108", "UnknownAnnotation", _WARNING, "An annotation looks like one of Istio's, and is none."
)
HOST_CLASH: Final = _code(
    "IST0109",
    "ConflictingMeshGatewayVirtualServiceHosts",
    _ERROR,
    "Several VirtualServices are for the same host in sidecars, which follow only one of them.",
)
SIDECAR_CLASH: Final = _code(
    "IST0110", "ConflictingSidecarWorkloadSelectors", _ERROR, "Several Sidecars select the same workload."
)
DEFAULT_SIDECARS: Final = _code(
    "IST0111", "MultipleSidecarsWithoutWorkloadSelectors", _ERROR, "Several Sidecars are for a whole namespace."
)
PORT_NEEDED: Final = _code(
    "IST0112",
    "VirtualServiceDestinationPortSelectorRequired",
    _ERROR,
    "A route names no port, and its service has several.",
)
PROTOCOL_CLASH: Final = _code(
    "IST0116",
    "DeploymentAssociatedToMultipleServices",
    _WARNING,
    "Services before the same workload give one port number different protocols.",
)
PORT_NAME: Final = _code(
    "IST0118",
    "PortNameIsNotUnderNamingConvention",
    _INFO,
    "The name of a Service's port does not say what is spoken there, so Istio has to guess from the traffic.",
)
SEVERAL_LABELS: Final = _code(
    "IST0123", "NamespaceMultipleInjectionLabels", _WARNING, "A namespace has more than one label about injection."
)
INVALID_ANNOTATION: Final = _code(
    "IST0125", "InvalidAnnotation", _WARNING, "An annotation of Istio's has a value that the injector refuses."
)
NO_WORKLOADS: Final = _code(
    "IST0127", "NoMatchingWorkloadsFound", _WARNING, "A policy is for workloads that do not exist, or have no sidecar."
)
NO_CA: Final = _code(
    "IST0128",
    "NoServerCertificateVerificationDestinationLevel",
    _WARNING,
    "A DestinationRule starts TLS to a host whose certificate nobody checks.",
)
NO_CA_ON_PORT: Final = _code(
    "IST0129",
    "NoServerCertificateVerificationPortLevel",
    _WARNING,
    "The same for a single port.",
)
UNREACHABLE: Final = _code(
    "IST0130", "VirtualServiceUnreachableRule", _WARNING, "No request gets to a route: earlier ones take them all."
)
INEFFECTIVE: Final = _code(
    "IST0131", "VirtualServiceIneffectiveMatch", _INFO, "A match takes no request that an earlier one has not taken."
)
HOST_NOT_IN_GATEWAY: Final = _code(
    "IST0132",
    "VirtualServiceHostNotFoundInGateway",
    _WARNING,
    "A VirtualService is for hosts that its Gateway does not serve, or not to its namespace.",
)
DOUBTFUL: Final = _code(
    "IST0133", "SchemaWarning", _WARNING, "An object of Istio's API is valid, and yet hardly what is meant."
)
NO_ADDRESS: Final = _code(
    "IST0134",
    "ServiceEntryAddressesRequired",
    _WARNING,
    "A ServiceEntry has a TCP port and no address: all traffic on the port is taken to be its.",
)
PORT_CLASH: Final = _code(
    "IST0137",
    "DeploymentConflictingPorts",
    _WARNING,
    "Services before the same workload reach one of its ports by different numbers.",
)
CERTIFICATE_TWICE: Final = _code(
    "IST0138",
    "GatewayDuplicateCertificate",
    _WARNING,
    "Several Gateways have one certificate: browsers use one connection for both, and get a 404.",
)
WEBHOOK: Final = _code("IST0139", "InvalidWebhook", _ERROR, "An injection webhook asks a Service that does not exist.")
NO_EFFECT_AT_INGRESS: Final = _code(
    "IST0140",
    "IngressRouteRulesNotAffected",
    _WARNING,
    "A gateway's route goes to a host without subset, while a VirtualService of the host's own routes to subsets:"
    " that one is for sidecars, and does nothing to requests from the gateway.",
)
PROXY_USER: Final = _code(
    "IST0144", "InvalidApplicationUID", _WARNING, "A container runs as user 1337, whose traffic the sidecar lets pass."
)
GATEWAY_CLASH: Final = _code(
    "IST0145", "ConflictingGateways", _ERROR, "Several Gateways serve the same host on the same port of one gateway."
)
EXTERNAL_NAME_PORT: Final = _code(
    "IST0150",
    "ExternalNameServiceTypeInvalidPortName",
    _WARNING,
    "A port of a Service of type ExternalName is named tcp, or as no protocol is.",
)
RELATIVE_PATCH: Final = _code(
    "IST0151",
    "EnvoyFilterUsesRelativeOperation",
    _WARNING,
    "An EnvoyFilter changes what another may have to make first, and does not say by `priority` which comes first.",
)
WRONG_REPLACE: Final = _code(
    "IST0152", "EnvoyFilterUsesReplaceOperationIncorrectly", _ERROR, "An EnvoyFilter replaces what only can be merged."
)
WRONG_ADD: Final = _code(
    "IST0153", "EnvoyFilterUsesAddOperationIncorrectly", _ERROR, "An EnvoyFilter adds where nothing can be added."
)
WRONG_REMOVE: Final = _code(
    "IST0154", "EnvoyFilterUsesRemoveOperationIncorrectly", _ERROR, "An EnvoyFilter removes what cannot be removed."
)
RELATIVE_PATCH_OF_VERSION: Final = _code(
    "IST0155",
    "EnvoyFilterUsesRelativeOperationWithProxyVersion",
    _WARNING,
    "The same as IST0151, where another filter of the name is for one version: an upgrade changes the order.",
)
PORT_NOT_ON_SERVICE: Final = _code(
    "IST0162",
    "GatewayPortNotDefinedOnService",
    _WARNING,
    "A Gateway listens on a port that no Service of its pods has (IST0104 in istioctl up to 1.18).",
)
SUBSET_WITHOUT_PODS: Final = _code(
    "IST0173", "DestinationRuleSubsetNotSelectPods", _ERROR, "No pod of the service belongs to a subset: 503."
)
UNKNOWN_RULE_HOST: Final = _code(
    "IST0174", "UnknownDestinationRuleHost", _WARNING, "A DestinationRule is for a host that the mesh does not know."
)
ENTRY_CLASH: Final = _code(
    "IST0177",
    "ConflictingServiceEntryProtocol",
    _WARNING,
    "Several ServiceEntries give one port of one host different protocols.",
)

UNUSED_SUPPRESSION: Final = _code(
    "MESH0001", "UnusedSuppression", _WARNING, "An entry of `mesh:analysis.suppress` keeps nothing quiet."
)
NO_DELEGATE: Final = _code("MESH0101", "DelegateNotFound", _ERROR, "A route is left to a VirtualService that is none.")
GATEWAY_HOST_CLASH: Final = _code(
    "MESH0102",
    "ConflictingGatewayVirtualServiceHosts",
    _WARNING,
    "Several VirtualServices are for the same host at one Gateway: their routes are joined in the order of creation.",
)
SHORT_TIMEOUT: Final = _code(
    "MESH0103", "TimeoutShorterThanTry", _WARNING, "A route's timeout ends a request before its first try may end."
)
FAULT_WITHOUT_LIMIT: Final = _code(
    "MESH0104", "FaultBeforeTimeout", _INFO, "A route has a fault, and limits that do nothing to requests that it hits."
)
SERVICE_WITHOUT_PODS: Final = _code(
    "MESH0105", "ServiceWithoutPods", _WARNING, "The selector of a Service matches no pod of its namespace."
)
RULE_CLASH: Final = _code(
    "MESH0106",
    "ConflictingDestinationRules",
    _WARNING,
    "Several DestinationRules are for one host and the same namespaces; only the oldest one's traffic policy holds.",
)
STRICT_WITHOUT_SIDECAR: Final = _code(
    "MESH0201",
    "StrictWithoutSidecar",
    _WARNING,
    "Workloads require mutual TLS, and others in their namespace have no sidecar, so that they cannot call them.",
)
PLAIN_TO_STRICT: Final = _code(
    "MESH0202",
    "PlainTextToStrict",
    _ERROR,
    "A DestinationRule switches Istio's TLS off to workloads that require it.",
)
MUTUAL_TO_NO_SIDECAR: Final = _code(
    "MESH0203",
    "MutualTlsToNoSidecar",
    _ERROR,
    "A DestinationRule asks for Istio's TLS to workloads without a sidecar, which cannot speak it.",
)
POLICY_CLASH: Final = _code(
    "MESH0204",
    "ConflictingPeerAuthentications",
    _WARNING,
    "Several PeerAuthentications are for the same workloads; only the oldest holds.",
)
UNKNOWN_PRINCIPAL: Final = _code(
    "MESH0205",
    "UnknownPrincipal",
    _WARNING,
    "An AuthorizationPolicy names a service account that no workload of the stack has.",
)
UNKNOWN_REVISION: Final = _code(
    "MESH0206",
    "UnknownRevision",
    _WARNING,
    "A namespace asks for the sidecars of a revision whose control plane is not part of the stack.",
)
