"""PeerAuthentication and RequestAuthentication: mutual TLS and JWT authentication of workloads' callers."""

import json
import re
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from annotated_types import MinLen
from pydantic import AfterValidator, Field

from mesh.api.common import PolicySelector, PolicyTargetReference, TargetReferences
from mesh.api.enforced import HTTP_URL, ONE_SELECTION, Enforced, Rule
from mesh.api.enforced import at_most_one as at_most_one_rule
from mesh.api.model import AGE, Column, Findings, Kind, Message, Names, at_most_one, optional
from mesh.api.names import StrictHeaderName
from mesh.api.scalars import Duration, PortKey, Word
from mesh.core.errors import show

__all__ = ["ClaimToHeader", "JWTHeader", "JWTRule", "MutualTLS", "PeerAuthentication", "RequestAuthentication"]


_ESCAPED = "%[0-9A-Fa-f]{2}"
_URL = re.compile(
    rf"""[A-Za-z]+://(?:(?:[-A-Za-z0-9._:~!$&'()*+,;=]|{_ESCAPED})*@)?
    (?:\[[0-9A-Fa-f:.]+\]|[^][/@:?\#%\\^`{{|}}\s]+)(?::[0-9]*)?
    (?:/(?:[^%?\#]|{_ESCAPED})*)?(?:\?[^\#]*)?(?:\#(?:[^%]|{_ESCAPED})*)?""",
    re.VERBOSE,
)
"""A URL with a host, as Go reads it."""


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = (
            parts.scheme in ("http", "https") and bool(_URL.fullmatch(text)) and parts.port != 0 and text.isprintable()
        )
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"{show(text)} is not an http:// or https:// address")
    return text


def _key_set(text: str) -> str:
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
        raise ValueError('must be a JSON Web Key Set, {"keys": […]}, as text')
    return text


Url = Annotated[str, AfterValidator(_url), Enforced(minLength=1, maxLength=2048, rules=(HTTP_URL,))]


_PORTS_AS_KEYS = Rule("self.all(key, 0 < int(key) && int(key) <= 65535)", "port must be between 1-65535")


class MutualTLS(Message):
    """The mutual TLS mode of connections to a workload."""

    mode: Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"] | None = optional(
        "As the next wider policy says (the default), none, mutual TLS or plain text, or mutual TLS only."
    )


class PeerAuthentication(Kind):
    """Whether callers of some workloads must use mutual TLS, and so show which workload they are."""

    names: ClassVar = Names(
        group="security.istio.io",
        plural="peerauthentications",
        short=("pa",),
        columns=(Column("Mode", ".spec.mtls.mode", "Mutual TLS of the workloads."), AGE),
    )
    enforced: ClassVar = (
        Rule(
            "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ?"
            " self.selector.matchLabels : {}).size() > 0) : true",
            "portLevelMtls requires selector",
        ),
    )

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    mtls: MutualTLS | None = optional("Mutual TLS on all ports; as the next wider policy says if not set.")
    portLevelMtls: (
        Annotated[dict[PortKey, MutualTLS], MinLen(1), Enforced(minProperties=1, rules=(_PORTS_AS_KEYS,))] | None
    ) = optional("Mutual TLS on single ports of the workload, by number; needs a selector.")

    def check(self) -> Findings:
        if self.portLevelMtls and not (self.selector and self.selector.matchLabels):
            yield ("portLevelMtls",), "needs selector.matchLabels"


class JWTHeader(Message):
    """A request header that holds a JWT."""

    name: Word = Field(description="Name of the header.")
    prefix: str | None = optional("What stands before the token, such as Bearer with a space after it.")


class ClaimToHeader(Message):
    """A claim of the token that the workload gets in a header of its own."""

    header: StrictHeaderName = Field(description="Name of the header: letters, digits, hyphens and underscores.")
    claim: Word = Field(description="Name of the claim; a dot leads into a claim that is a map.")


class JWTRule(Message):
    """Validation of the JWTs of one issuer. A request with an invalid token is refused, one without a token is not."""

    required: ClassVar = ()
    enforced: ClassVar = (at_most_one_rule("only one of jwks or jwksUri can be set", "jwksUri", "jwks_uri", "jwks"),)

    issuer: Word | None = optional("The iss claim of the tokens.")
    audiences: list[Word] | None = optional("Values, one of which the aud claim must have; any if not set.")
    jwksUri: Url | None = optional("Where the issuer's public keys are; found by OpenID Discovery if not set.")
    jwks_uri: Url | None = optional("Another spelling of jwksUri.")
    jwks: Annotated[str, AfterValidator(_key_set)] | None = optional("The issuer's public keys, a JSON Web Key Set.")
    fromHeaders: list[JWTHeader] | None = optional("Headers that may hold the token; Authorization if not set.")
    fromParams: list[Word] | None = optional(
        "Parameters of the query that may hold the token; access_token if not set."
    )
    fromCookies: list[Word] | None = optional("Cookies that may hold the token.")
    outputPayloadToHeader: str | None = optional("Header in which the workload gets the token's claims, in base64.")
    outputClaimToHeaders: list[ClaimToHeader] | None = optional("Claims that the workload gets, each in a header.")
    forwardOriginalToken: bool | None = optional("Whether the workload gets the token itself, too.")
    timeout: Duration | None = optional("How long fetching the public keys may take; 5s if not set.")
    spaceDelimitedClaims: Annotated[list[Word], Enforced(maxItems=64)] | None = optional(
        "Claims that are lists written as one text with spaces, beside scope and permission."
    )

    def check(self) -> Findings:
        yield from at_most_one(self, "jwksUri", "jwks_uri")
        if not self.issuer and not (self.jwksUri or self.jwks_uri):
            yield ("issuer",), "is required without jwksUri"


class RequestAuthentication(Kind):
    """Which tokens some workloads accept as a proof of who the caller's user is."""

    names: ClassVar = Names(group="security.istio.io", plural="requestauthentications", short=("ra",))
    enforced: ClassVar = (ONE_SELECTION,)

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    targetRef: PolicyTargetReference | None = optional("Deprecated, see targetRefs.")
    targetRefs: TargetReferences | None = optional(
        "Gateways of the Gateway API, waypoints, or services behind one, that the object is for; not with selector."
    )
    jwtRules: Annotated[list[JWTRule], Enforced(maxItems=4096)] | None = optional(
        "Tokens that are accepted; a request may have one only."
    )

    def check(self) -> Findings:
        yield from at_most_one(self, "selector", "targetRef", "targetRefs")
