"""What changed in TLS, in authorization and in access to istiod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.differences import Difference, Severity

CHANGED: Final[Mapping[str, Difference]] = {
    "server-certificates": Difference(
        since="1.21",
        before="the server's certificate is not verified: neither who issued it, nor for which name",
        after="its issuer must be one of the proxy image's certificate authorities{names}; else requests end with 503",
        remedy="for a private authority set caCertificates before the upgrade, which both releases read;"
        " insecureSkipVerify, which keeps it unverified, only the newer one has",
        source="enable-verify-certificate-at-client.yaml",
    ),
    "server-names": Difference(
        since="1.21",
        before="requests have no server name in TLS (SNI), and any name in a certificate of these authorities is good",
        after="the name of the request's Host header is sent, and the certificate must be for it",
        remedy="set sni and subjectAltNames to what the server expects, if that is not the Host header",
        source="enable-auto-sni.yaml",
    ),
    "workload-mtls": Difference(
        since="1.12",
        severity=Severity.NOTE,
        before="callers do not see the mode of a policy for single workloads: they need a DestinationRule",
        after="callers use the mode of each workload by themselves",
        remedy="nothing; the DestinationRule may go once all proxies are new",
        source="34118.yaml",
    ),
    "key-addresses": Difference(
        since="1.29",
        severity=Severity.NOTE,
        before="istiod fetches the keys of tokens from whatever address jwksUri, or the issuer, leads to",
        after="it still does, except for addresses that a variable blocks; istioctl analyze warns (IST0175)",
        remedy="name them in mesh:pilot.env.BLOCKED_CIDRS_IN_JWKS_URIS of the newer control plane: those that only"
        " istiod should reach, such as 169.254.0.0/16",
        source="block_cidr_in_jwk_uris.yaml",
    ),
    "host-case": Difference(
        since="1.11",
        severity=Severity.NOTE,
        before="hosts are compared as they are written: a request for another letter case escapes hosts and notHosts",
        after="letter case does not count",
        remedy="nothing; both letter cases in a list may become one",
        source="ISTIO-SECURITY-2021-008",
    ),
    "path-templates": Difference(
        since="1.22",
        before="{{*}} and {{**}} in a path are plain characters",
        after="{{*}} stands for one segment of a path, and {{**}} for any number of segments",
        remedy="review {path}: it now matches many paths",
        source="16585.yaml",
    ),
    "internal-headers": Difference(
        since="1.25",
        before="callers with a private address count as internal: their headers x-envoy-… pass the gateway",
        after="no caller counts as internal: the gateway removes such headers, and this condition does not match",
        remedy="ask for a header of your own that the callers set; to keep these, istiod needs"
        " ENABLE_HCM_INTERNAL_NETWORKS and MeshNetworks",
        source="53402.yaml",
    ),
    "debug-endpoints": Difference(
        since="1.29",
        before="any pod may read istiod's debug endpoints, as Kiali does",
        after="pods outside of istiod's namespace may read those of proxies of their own namespace only",
        remedy="set mesh:pilot.env.DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES: {namespace}",
        source="debug-endpoint-authorization.yaml",
        variable=("ENABLE_DEBUG_ENDPOINT_AUTH", "false"),
    ),
}
