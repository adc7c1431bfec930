"""All codes of findings, with severities and meanings; the source of the tables in docs/analysis.md.

`IST…` are the codes of `istioctl analyze`, with its meanings and severities; `MESH…` are this project's own, for
mistakes that istioctl does not look for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.analysis.findings import Code, Severity

_INFO, _WARNING, _ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR
_ALL: dict[str, Code] = {}
CODES: Final[Mapping[str, Code]] = _ALL
"""All kinds of findings, by code."""


def _code(code: str, name: str, severity: Severity, meaning: str) -> Code:
    _ALL[code] = Code(code=code, name=name, severity=severity, meaning=meaning)
    return _ALL[code]


DEPRECATED: Final = _code(
    "IST0002", "Deprecated", _WARNING, "A deprecated field is set, which Istio ignores or has replaced by another."
)
NOT_FOUND: Final = _code(
    "IST0101",
    "ReferencedResourceNotFound",
    _ERROR,
    "A host, port, subset, gateway, workload, namespace or secret that an object names does not exist. Only a warning"
    " for secrets, and for hosts in namespaces that the analysis does not know: they may exist on the cluster.",
)
NOT_INJECTED: Final = _code(
    "IST0102",
    "NamespaceNotInjected",
    _INFO,
    "A namespace has no injection label, so its pods get no sidecar.",
)
WITHOUT_PROXY: Final = _code(
    "IST0103",
    "PodMissingProxy",
    _WARNING,
    "A running pod has no sidecar, although its namespace asks for one. New pods get one.",
)
PORT_NOT_ON_WORKLOAD: Final = _code(
    "IST0104",
    "GatewayPortNotOnWorkload",
    _WARNING,
    "The same as IST0162 in releases before 1.19, which compare only the ports of Services, not their target ports.",
)
OTHER_PROXY_IMAGE_OF_POD: Final = _code(
    "IST0105", "IstioProxyImageMismatch", _WARNING, "The same as IST0158 in early releases, for each pod."
)
INVALID: Final = _code("IST0106", "SchemaValidationError", _ERROR, "An object of Istio's API is not valid.")
MISPLACED_ANNOTATION: Final = _code(
    "IST0107", "MisplacedAnnotation", _WARNING, "An annotation of Istio's is on a kind of object that does not read it."
)
UNKNOWN_ANNOTATION: Final = _code(
    "IST0108",
    "UnknownAnnotation",
    _WARNING,
    "An annotation has a name like Istio's, but Istio has no such annotation.",
)
HOST_CLASH: Final = _code(
    "IST0109",
    "ConflictingMeshGatewayVirtualServiceHosts",
    _ERROR,
    "Several VirtualServices for sidecars have the same host; sidecars apply only one of them.",
)
SIDECAR_CLASH: Final = _code(
    "IST0110", "ConflictingSidecarWorkloadSelectors", _ERROR, "Several Sidecars select the same workload."
)
DEFAULT_SIDECARS: Final = _code(
    "IST0111", "MultipleSidecarsWithoutWorkloadSelectors", _ERROR, "Several Sidecars apply to the same whole namespace."
)
PORT_NEEDED: Final = _code(
    "IST0112",
    "VirtualServiceDestinationPortSelectorRequired",
    _ERROR,
    "A destination names no port, but its service has several.",
)
PROTOCOL_CLASH: Final = _code(
    "IST0116",
    "DeploymentAssociatedToMultipleServices",
    _WARNING,
    "Services of the same workload have the same port number with different protocols.",
)
NO_SERVICE: Final = _code(
    "IST0117",
    "DeploymentRequiresServiceAssociated",
    _WARNING,
    "In early releases: no Service selects the pods of a Deployment in the mesh, which should have one.",
)
PORT_NAME: Final = _code(
    "IST0118",
    "PortNameIsNotUnderNamingConvention",
    _INFO,
    "The name of a Service's port does not state the protocol, so Istio has to detect it from the traffic.",
)
SEVERAL_LABELS: Final = _code(
    "IST0123", "NamespaceMultipleInjectionLabels", _WARNING, "A namespace has more than one injection label."
)
INVALID_ANNOTATION: Final = _code(
    "IST0125", "InvalidAnnotation", _WARNING, "An annotation of Istio's has a value that the injector refuses."
)
UNKNOWN_REGISTRY: Final = _code(
    "IST0126",
    "UnknownMeshNetworksServiceRegistry",
    _ERROR,
    "The networks of the mesh name a cluster, but no secret gives access to it.",
)
NO_WORKLOADS: Final = _code(
    "IST0127",
    "NoMatchingWorkloadsFound",
    _WARNING,
    "A policy selects no workload, or only workloads without a sidecar; or no proxy enforces it at one of its targets.",
)
NO_CA: Final = _code(
    "IST0128",
    "NoServerCertificateVerificationDestinationLevel",
    _WARNING,
    "A DestinationRule originates TLS without verifying the server's certificate.",
)
NO_CA_ON_PORT: Final = _code(
    "IST0129",
    "NoServerCertificateVerificationPortLevel",
    _WARNING,
    "The same as IST0128, for a single port.",
)
UNREACHABLE: Final = _code(
    "IST0130", "VirtualServiceUnreachableRule", _WARNING, "No request reaches a route: earlier routes take them all."
)
INEFFECTIVE: Final = _code(
    "IST0131",
    "VirtualServiceIneffectiveMatch",
    _INFO,
    "A match takes no request, because earlier matches take all of its requests.",
)
HOST_NOT_IN_GATEWAY: Final = _code(
    "IST0132",
    "VirtualServiceHostNotFoundInGateway",
    _WARNING,
    "A VirtualService names a Gateway that serves none of its hosts, or not to its namespace.",
)
DOUBTFUL: Final = _code(
    "IST0133",
    "SchemaWarning",
    _WARNING,
    "An object of Istio's API is valid, but has fields that are deprecated or have no effect.",
)
NO_ADDRESS: Final = _code(
    "IST0134",
    "ServiceEntryAddressesRequired",
    _WARNING,
    "A ServiceEntry has a TCP port and no addresses: it takes all traffic to that port.",
)
DEPRECATED_ANNOTATION: Final = _code(
    "IST0135", "DeprecatedAnnotation", _INFO, "The release has replaced an annotation, or is about to drop it."
)
PORT_CLASH: Final = _code(
    "IST0137",
    "DeploymentConflictingPorts",
    _WARNING,
    "Services of the same workload have different port numbers for one of its ports.",
)
CERTIFICATE_TWICE: Final = _code(
    "IST0138",
    "GatewayDuplicateCertificate",
    _WARNING,
    "Several Gateways use one certificate: browsers reuse one connection for the hosts of both, and get a 404.",
)
WEBHOOK: Final = _code(
    "IST0139",
    "InvalidWebhook",
    _ERROR,
    "An injection webhook calls a Service that does not exist, or injects the same pods as another webhook.",
)
NO_EFFECT_AT_INGRESS: Final = _code(
    "IST0140",
    "IngressRouteRulesNotAffected",
    _WARNING,
    "A gateway's route names no subset of a host whose own VirtualService routes to subsets. Only sidecars apply that"
    " VirtualService, so it has no effect on requests from the gateway.",
)
PROXY_USER: Final = _code(
    "IST0144",
    "InvalidApplicationUID",
    _WARNING,
    "A container runs as the proxy's user 1337, whose traffic bypasses the sidecar.",
)
GATEWAY_CLASH: Final = _code(
    "IST0145", "ConflictingGateways", _ERROR, "Several Gateways serve the same host on the same port of one gateway."
)
AUTO_IMAGE: Final = _code(
    "IST0146",
    "ImageAutoWithoutInjectionWarning",
    _WARNING,
    "The pods of a workload are not injected, but have a proxy with the image `auto`, which only injection replaces"
    " with a real image.",
)
AUTO_IMAGE_OF_POD: Final = _code(
    "IST0147", "ImageAutoWithoutInjectionError", _ERROR, "The same as IST0146, for a Pod instead of a workload."
)
INJECTED_BY_DEFAULT: Final = _code(
    "IST0148",
    "NamespaceInjectionEnabledByDefault",
    _INFO,
    "A namespace has no injection label, but its pods are injected because of `enableNamespacesByDefault`.",
)
CLAIMS_UNPROVEN: Final = _code(
    "IST0149",
    "JwtClaimBasedRoutingWithoutRequestAuthN",
    _ERROR,
    "A route depends on a claim of a token, but no RequestAuthentication applies to its gateway: there, requests have"
    " no claims.",
)
EXTERNAL_NAME_PORT: Final = _code(
    "IST0150",
    "ExternalNameServiceTypeInvalidPortName",
    _WARNING,
    "A port of a Service of type ExternalName is named tcp, or has a name that does not state the protocol.",
)
RELATIVE_PATCH: Final = _code(
    "IST0151",
    "EnvoyFilterUsesRelativeOperation",
    _WARNING,
    "An EnvoyFilter has an operation that depends on the order of EnvoyFilters, and no `priority`.",
)
WRONG_REPLACE: Final = _code(
    "IST0152",
    "EnvoyFilterUsesReplaceOperationIncorrectly",
    _ERROR,
    "An EnvoyFilter uses REPLACE where Istio does not support it.",
)
WRONG_ADD: Final = _code(
    "IST0153", "EnvoyFilterUsesAddOperationIncorrectly", _ERROR, "An EnvoyFilter uses ADD where it has no effect."
)
WRONG_REMOVE: Final = _code(
    "IST0154", "EnvoyFilterUsesRemoveOperationIncorrectly", _ERROR, "An EnvoyFilter uses REMOVE where it has no effect."
)
RELATIVE_PATCH_OF_VERSION: Final = _code(
    "IST0155",
    "EnvoyFilterUsesRelativeOperationWithProxyVersion",
    _WARNING,
    "The same as IST0151, next to a patch of the same filter for one proxy version: an upgrade changes the order.",
)
LOG_WITHOUT_PROVIDER: Final = _code(
    "IST0157",
    "InvalidTelemetryProvider",
    _WARNING,
    "A Telemetry sets access logging without a provider, and neither MeshConfig nor a Telemetry for the whole namespace"
    " or mesh names one: nothing is logged.",
)
OTHER_PROXY_IMAGE: Final = _code(
    "IST0158",
    "PodsIstioProxyImageMismatchInNamespace",
    _WARNING,
    "Pods of a namespace with injection bring their own proxy, whose image is not the injector's.",
)
TELEMETRY_CLASH: Final = _code(
    "IST0159", "ConflictingTelemetryWorkloadSelectors", _ERROR, "Several Telemetries select the same workload."
)
DEFAULT_TELEMETRIES: Final = _code(
    "IST0160",
    "MultipleTelemetriesWithoutWorkloadSelectors",
    _ERROR,
    "Several Telemetries apply to the same whole namespace.",
)
INVALID_CERTIFICATE: Final = _code(
    "IST0161",
    "InvalidGatewayCredential",
    _ERROR,
    "The Secret of a Gateway has no valid certificate: it is not in PEM format, has expired, or is not valid yet.",
)
PORT_NOT_ON_SERVICE: Final = _code(
    "IST0162",
    "GatewayPortNotDefinedOnService",
    _WARNING,
    "A Gateway listens on a port that no Service of its pods has.",
)
IGNORED_SELECTOR: Final = _code(
    "IST0166",
    "IneffectiveSelector",
    _WARNING,
    "A policy selects proxies of the Gateway API that ignore selectors: waypoints, or all by a setting of istiod.",
)
INEFFECTIVE_POLICY: Final = _code(
    "IST0167", "IneffectivePolicy", _WARNING, "A Sidecar applies to pods in ambient mode, which have no sidecar."
)
SUBSET_WITHOUT_PODS: Final = _code(
    "IST0173",
    "DestinationRuleSubsetNotSelectPods",
    _ERROR,
    "No pod of the service has the labels of a subset: requests to it end in 503.",
)
UNKNOWN_RULE_HOST: Final = _code(
    "IST0174", "UnknownDestinationRuleHost", _WARNING, "A DestinationRule is for a host that is not in the registry."
)
OPEN_KEY_FETCH: Final = _code(
    "IST0175",
    "JwksUriFetchUnrestricted",
    _WARNING,
    "istiod may fetch keys for tokens from any network, although the release can exclude networks.",
)
OLD_DEFINITION: Final = _code(
    "IST0176",
    "GatewayAPICRDVersionBelowMinimum",
    _WARNING,
    "A CRD of the Gateway API is older than the release supports: Istio ignores all objects of its kind.",
)
ENTRY_CLASH: Final = _code(
    "IST0177",
    "ConflictingServiceEntryProtocol",
    _WARNING,
    "Several ServiceEntries give one port of one host different protocols.",
)

UNUSED_SUPPRESSION: Final = _code(
    "MESH0001", "UnusedSuppression", _WARNING, "An entry of `mesh:analysis.suppress` matches no finding."
)
MALFORMED: Final = _code(
    "MESH0002",
    "MalformedObject",
    _ERROR,
    "A field of an object has the wrong type or is missing: the API server refuses the object, and no other check"
    " reads it. For Istio's kinds, this is IST0106.",
)
NO_DELEGATE: Final = _code(
    "MESH0101", "DelegateNotFound", _ERROR, "A route delegates to a VirtualService that is missing or has hosts."
)
GATEWAY_HOST_CLASH: Final = _code(
    "MESH0102",
    "ConflictingGatewayVirtualServiceHosts",
    _WARNING,
    "Several VirtualServices are for the same host at one Gateway: their routes are merged in the order of creation.",
)
SHORT_TIMEOUT: Final = _code(
    "MESH0103",
    "TimeoutShorterThanTry",
    _WARNING,
    "A route's timeout is shorter than the `perTryTimeout` of its retries. Only an info if it is shorter than all"
    " tries together, which matters if tries take that long.",
)
FAULT_WITHOUT_LIMIT: Final = _code(
    "MESH0104",
    "FaultBeforeTimeout",
    _INFO,
    "A route has a fault and also a timeout or retries, which do not apply to requests that the fault hits.",
)
SERVICE_WITHOUT_PODS: Final = _code(
    "MESH0105", "ServiceWithoutPods", _WARNING, "The selector of a Service matches no pod of its namespace."
)
RULE_CLASH: Final = _code(
    "MESH0106",
    "ConflictingDestinationRules",
    _WARNING,
    "Several DestinationRules apply to one host in the same namespaces; only the oldest one's traffic policy counts.",
)
NO_REQUESTS: Final = _code(
    "MESH0107", "MatchesNoRequest", _WARNING, "No request or connection can meet a condition of a route."
)
MANGLED: Final = _code(
    "MESH0108",
    "MangledRequest",
    _WARNING,
    "A rewrite, a redirect or a change of headers has an unintended result, or one that cannot be sent.",
)
REDIRECT_LOOP: Final = _code(
    "MESH0109", "RedirectLoop", _WARNING, "A redirect leads to itself, or in a circle: browsers give up."
)
AFFINITY_ACROSS_VERSIONS: Final = _code(
    "MESH0110",
    "AffinityAcrossVersions",
    _WARNING,
    "A route has weights and session affinity: affinity holds within a version, but each request draws a version.",
)
SKIPPED_AT_INGRESS: Final = _code(
    "MESH0111",
    "SkippedAtIngress",
    _WARNING,
    "Settings of a VirtualService for sidecars do not apply to requests that a gateway routes to its host.",
)
ADDRESS_HIDDEN: Final = _code(
    "MESH0112",
    "ClientAddressHidden",
    _WARNING,
    "A rule at a gateway depends on clients' addresses, which the nodes or a load balancer hide from it.",
)
HTTP_ON_TCP: Final = _code(
    "MESH0113",
    "HttpRouteWithoutHttpPort",
    _WARNING,
    "A VirtualService has HTTP routes for a host without an HTTP port.",
)
BUDGET_BLOCKS_DRAIN: Final = _code(
    "MESH0114",
    "BudgetBlocksDrain",
    _INFO,
    "A PodDisruptionBudget allows no eviction of its pods, so a node with one of them cannot be drained.",
)
FAULT_FOR_NOBODY: Final = _code(
    "MESH0115", "FaultWithoutPercentage", _WARNING, "A fault has no percentage, so it applies to no request."
)
SUBSET_NOT_BALANCED: Final = _code(
    "MESH0116",
    "SubsetWithPassthrough",
    _WARNING,
    "A route names a subset of a host with the load balancing PASSTHROUGH, which keeps a request's original address.",
)
FILTER_WITHOUT_WORKLOADS: Final = _code(
    "MESH0117",
    "EnvoyFilterWithoutWorkloads",
    _WARNING,
    "An EnvoyFilter, such as that of a rate limit, selects no workload, or only workloads without a sidecar.",
)
PREFLIGHT_UNMATCHED: Final = _code(
    "MESH0118",
    "PreflightUnmatched",
    _WARNING,
    "A gateway's route has a CORS policy, but its match requires a method or a header that no preflight request has.",
)
TOKEN_NOT_ALLOWED: Final = _code(
    "MESH0119",
    "TokenNotAllowedByCors",
    _WARNING,
    "A gateway requires tokens, but the CORS policy of a route does not let scripts send the header that holds one.",
)
MISSING_HEADER: Final = _code(
    "MESH0120",
    "MissingHeaderDoesNotFit",
    _WARNING,
    "In releases before 1.22: a condition of `withoutHeaders` on a value matches no request without the header.",
)
STRICT_WITHOUT_SIDECAR: Final = _code(
    "MESH0201",
    "StrictWithoutSidecar",
    _WARNING,
    "A policy requires mutual TLS, so workloads of its namespace without a sidecar cannot call those that it selects.",
)
PLAIN_TO_STRICT: Final = _code(
    "MESH0202",
    "PlainTextToStrict",
    _ERROR,
    "A DestinationRule turns mutual TLS off for calls to workloads that require it.",
)
MUTUAL_TO_NO_SIDECAR: Final = _code(
    "MESH0203",
    "MutualTlsToNoSidecar",
    _ERROR,
    "A DestinationRule uses mode ISTIO_MUTUAL for calls to workloads without a sidecar, which cannot accept it.",
)
POLICY_CLASH: Final = _code(
    "MESH0204",
    "ConflictingPeerAuthentications",
    _WARNING,
    "Several PeerAuthentications select the same workloads; only the oldest applies.",
)
UNKNOWN_PRINCIPAL: Final = _code(
    "MESH0205",
    "UnknownPrincipal",
    _WARNING,
    "An AuthorizationPolicy names a service account that no known workload uses.",
)
UNKNOWN_REVISION: Final = _code(
    "MESH0206",
    "UnknownRevision",
    _WARNING,
    "The label of a namespace names a revision whose control plane is not among the objects.",
)
POLICY_MATCHES_NOTHING: Final = _code(
    "MESH0207",
    "PolicyMatchesNothing",
    _WARNING,
    "No request can have a value that an AuthorizationPolicy names: it allows nobody, or denies nothing.",
)
PORT_WITHOUT_LISTENER: Final = _code(
    "MESH0208",
    "PolicyPortWithoutListener",
    _WARNING,
    "A policy names a port that its pods do not listen on, by containers and Services. Policies name pods' ports.",
)
HTTP_RULE_ON_TCP: Final = _code(
    "MESH0209",
    "HttpRuleOnTcpPort",
    _WARNING,
    "A rule has conditions on HTTP requests for TCP ports: there, ALLOW allows nothing, and DENY denies everything.",
)
NO_IDENTITY: Final = _code(
    "MESH0210",
    "IdentityWithoutMutualTls",
    _WARNING,
    "A rule depends on the caller's identity, but mutual TLS is off for its pods or their callers: they have none.",
)
MIRROR_REFUSED: Final = _code(
    "MESH0211",
    "MirrorRefused",
    _WARNING,
    "The AuthorizationPolicies of a mirror do not allow a caller whose requests are copied to it.",
)
