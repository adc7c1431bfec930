"""Where the types and the analysis refuse an object of Istio's API and release 1.30 accepts it, or the other way round,
on purpose. docs/differences.md says the same to users."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

STRICTER: Final[Mapping[str, Sequence[str]]] = {
    "labels that no object can have, so that nothing is selected": (
        r"is not the key of a label$",
        r"is not the value of a label$",
    ),
    "a namespace that cannot be": (r"(tcp|tls)\[.*sourceNamespace: .* is not a DNS label",),
    "an empty text, or 0, which Istio takes for what is not set": (
        r': "" is (not|neither) ',
        r": 0 is not in ",
        r"(proxyVersion|expression): must not be empty$",
    ),
    "an empty list, which reads as if nothing was meant, and which Istio takes for what is not set": (
        r"(from|to): must not be empty$",
        r"\.route: cannot be set together with (delegate|redirect|directResponse)$",
        r": only one of distribute, failover may be set",
    ),
    "failoverPriority beside distribute, which does nothing": (r"only one of distribute, failoverPriority may",),
    "the zone of an IPv6 address, which Envoy does not take": (r'"fe80::1%eth0" is (not|neither) ',),
    "a duration with a sign or without a unit": (r'"(\+1s|0|-1s)" is not a duration',),
    "parts of a millisecond, which Envoy does not count": (r" is not a whole number of milliseconds",),
    "the name of a header that HTTP does not know": (
        r"(httpHeaderName|[hH]eaders\S*)( \(the key\))?: .* is not the name of a header$",
    ),
    "a pseudo-header that one receiver of several gets": (r'the header ":authority" cannot be changed here',),
    "a condition that Envoy refuses, with all routes": (r"only asks whether the claim exists",),
    "less than 1, which 1.30.3 itself refuses": (r"aggression: .* is not at least 1$",),
    "a port that no service has": (
        r"port(LevelSettings\[\d+\]\.port)?\.number: (is required|\d+ is not in 1\.\.65535)$",
        r"(p|notP)orts\[\d+\]: .* is not a port, 0 to 65535$",
    ),
    "a table of one place, with which Envoy does not start": (r": 1 is not a prime number below 5000011",),
    "an address that is none": (
        r"jwks_?[uU]ri: .* is not an http:// or https:// address",
        r"\burl: .* is not a URL: ",
        r"template\.address: .* is neither an IP address, a DNS name nor a unix:// socket",
        r'bind: ".*" is not an IP address',
        r'"\*\." is not a fully qualified DNS name',
    ),
    "a Gateway behind one without a namespace, which Istio does not look at": (
        r"gateways\[\d+\]: .* is not a gateway: ",
    ),
    "a status that no answer has": (r"httpStatus: 600 is not in 200\.\.599",),
    "two spellings of one field": (r"mirror_?[pP]ercent",),
    "the server's name as an address": (
        r'sniHosts\[\d+\]: "[\d.:a-f]+(%eth0)?" is (not a host: |not among the hosts)',
    ),
    "the rule's own namespace by its name": (r"exportTo: must be \. or not set together with workloadSelector",),
    "a type of Envoy's API v2, where Envoy reads no type": (r"is of Envoy's API v2, which Envoy no longer has",),
    "a regular expression that Istio ignores for its length": (r"proxyVersion: a regular expression may have at most",),
}
"""Findings about objects that the release accepts, by the reason."""

OTHERS_MATTER: Final = {
    "what stands in a patch is Envoy's own configuration, whose types are known at its top alone": (
        r"Envoy filter: (Any|bad|can't unmarshal|could not resolve|invalid character|json|unknown value)"
    )
}
"""Messages about objects that the release alone refuses, by the reason."""


def is_stricter(finding: str) -> bool:
    """Whether a finding, as `path: text`, is about what a release accepts."""
    return any(re.search(pattern, finding) for patterns in STRICTER.values() for pattern in patterns)


def is_left_to_others(message: str) -> bool:
    """Whether a refusal is of what is not looked at here."""
    return any(re.search(pattern, message, re.DOTALL) for pattern in OTHERS_MATTER.values())
