"""HTTP routes of a VirtualService: match conditions, destinations, redirects, retries, faults, CORS and mirroring."""

from http import HTTPMethod, HTTPStatus
from typing import Annotated, ClassVar, Literal

from annotated_types import Interval, Le
from pydantic import AfterValidator, Field

from mesh.api.common import Destination, Percent, StringMatch, Weight
from mesh.api.enforced import Enforced
from mesh.api.http_match import Headers, HTTPMatchRequest
from mesh.api.model import Findings, Message, at_most_one, nested, optional
from mesh.api.names import HeaderName
from mesh.api.regex import Regex
from mesh.api.scalars import (
    BoolValue,
    Duration,
    Int32,
    Natural32,
    OpenAPI,
    SocketPort,
    Text,
    UInt32,
    UInt32Value,
    nanoseconds,
)
from mesh.core.errors import nearest, show
from mesh.core.kubernetes import Base64

__all__ = [
    "Abort",
    "CorsPolicy",
    "Delay",
    "Delegate",
    "HTTPBody",
    "HTTPDirectResponse",
    "HTTPFaultInjection",
    "HTTPMirrorPolicy",
    "HTTPRedirect",
    "HTTPRetry",
    "HTTPRewrite",
    "HTTPRoute",
    "HTTPRouteDestination",
    "RegexRewrite",
]

RETRY_ON = (
    *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream"),
    *("retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure"),
    *("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
)
"""Envoy's retry conditions: those for HTTP, then those for gRPC. HTTP status codes are also accepted."""

_METHODS = [*map(str, HTTPMethod), "*"]
GRPC_STATUSES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
_LARGEST_BODY = 1024 * 1024
_STATUS_CODES = [str(int(status)) for status in HTTPStatus]


def _retry_on(text: str) -> str:
    for condition in text.split(",") if text else ():
        if condition not in RETRY_ON and condition not in _STATUS_CODES:
            raise ValueError(
                f"{show(condition)} is neither a status code nor one of {', '.join(RETRY_ON)}"
                f"{nearest(condition, RETRY_ON)}"
            )
    return text


def _method(text: str) -> str:
    if text not in _METHODS:
        raise ValueError(f"{show(text)} is not one of {', '.join(_METHODS)}{nearest(text, _METHODS)}")
    return text


def _grpc_status(text: str) -> str:
    if text not in GRPC_STATUSES:
        raise ValueError(f"{show(text)} is not one of {', '.join(GRPC_STATUSES)}{nearest(text, GRPC_STATUSES)}")
    return text


def _redirect_scheme(text: str) -> str:
    if text not in ("", "http", "https"):
        raise ValueError(f"{show(text)} is not one of http, https")
    return text


class HTTPRedirect(Message):
    """A redirect response. It needs a new path, a new authority or both."""

    one_of: ClassVar = ("port", "derivePort")

    uri: str | None = optional("New path; the whole of it, whatever part has matched.")
    authority: str | None = optional("New host, and port if there is one.")
    redirectCode: Annotated[UInt32, Interval(ge=300, le=399)] | None = optional(
        "Status code of the answer, 300 to 399; 301 if not set."
    )
    scheme: Annotated[str, AfterValidator(_redirect_scheme)] | None = optional("New scheme: http or https.")
    port: SocketPort | None = optional("New port.")
    derivePort: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = optional(
        "New port: 80 or 443, as the new scheme says, or that of the request."
    )

    def check(self) -> Findings:
        if not (self.uri or self.authority or self.scheme or self.is_set("port") or self.derivePort):
            yield (), "needs uri, authority or both"


class RegexRewrite(Message):
    """A rewrite of the path by a regular expression."""

    required: ClassVar = ()

    match: Regex = Field(description="The part of the path that is replaced, in RE2 syntax.")
    rewrite: Text = Field(description="What it is replaced by; \\1 is the first group of the expression.")


class HTTPRewrite(Message):
    """A rewrite of the request before it is forwarded. It needs a new path, a new authority or both."""

    uri: str | None = optional("New path, or new prefix where the match was one of a prefix.")
    authority: str | None = optional("New Host header.")
    uriRegexRewrite: RegexRewrite | None = optional("New path by a regular expression, in place of uri.")

    def check(self) -> Findings:
        if not (self.uri or self.authority or self.uriRegexRewrite):
            yield (), "needs uri, authority or both"
        elif self.uri and self.uriRegexRewrite:
            yield ("uriRegexRewrite",), "cannot be set together with uri"


class HTTPRetry(Message):
    """Retry policy of failed requests."""

    attempts: Natural32 | None = optional("How many times more a request is tried; 0 switches retries off.")
    perTryTimeout: Duration | None = optional("How long one try may take, such as 2s; the route's timeout if not set.")
    retryOn: Annotated[str, AfterValidator(_retry_on)] | None = optional(
        "When to try again: Envoy's conditions and status codes, with commas and no spaces between them."
    )
    retryRemoteLocalities: BoolValue | None = optional("Whether other localities may be tried, too.")
    retryIgnorePreviousHosts: BoolValue | None = optional(
        "Whether another endpoint is tried than those before; true if not set."
    )
    backoff: Duration | None = optional("Time before a retry, which grows with each; 25ms if not set.")

    def check(self) -> Findings:
        if not self.attempts and (self.perTryTimeout or self.retryOn or self.is_set("retryRemoteLocalities")):
            yield ("attempts",), "must be 1 or more if anything else is set"


class Delay(Message):
    """A fault that delays requests."""

    one_of: ClassVar = ("fixedDelay", "exponentialDelay")

    percent: Int32 | None = optional("Deprecated, see percentage. Share of the requests, 0 to 100.")
    fixedDelay: Duration | None = optional("How long a request waits, such as 5s.")
    exponentialDelay: Duration | None = optional("Not supported by any proxy.")
    percentage: Percent | None = optional("Share of the requests that are held back.")

    def check(self) -> Findings:
        if self.exponentialDelay:
            yield ("exponentialDelay",), "is not supported by the proxy; use fixedDelay"


class Abort(Message):
    """A fault that answers requests with an error instead of forwarding them."""

    one_of: ClassVar = ("httpStatus", "grpcStatus", "http2Error")

    httpStatus: Annotated[Int32, Interval(ge=200, le=599)] | None = optional("Status code of the answer, 200 to 599.")
    grpcStatus: (
        Annotated[str, AfterValidator(_grpc_status), Enforced(description="gRPC's status, such as UNAVAILABLE.")] | None
    ) = optional("Not supported by this release.")
    http2Error: str | None = optional("Not supported by any proxy.")
    percentage: Percent | None = optional("Share of the requests that are answered so.")

    def check(self) -> Findings:
        if self.is_set("http2Error"):
            yield ("http2Error",), "is not supported by the proxy; use httpStatus"


class HTTPFaultInjection(Message):
    """Fault injection: delays and aborts for testing clients. It disables the route's timeout and retries."""

    delay: Delay | None = optional("Hold requests back.")
    abort: Abort | None = optional("Answer requests with an error.")

    def check(self) -> Findings:
        if not self.delay and not self.abort:
            yield (), "needs delay, abort or both"


class CorsPolicy(Message):
    """Cross-origin resource sharing (CORS): which pages of other origins may call the service from a browser."""

    allowOrigin: list[str] | None = optional("Deprecated, see allowOrigins. Origins, or * for all.")
    allowOrigins: list[StringMatch] | None = optional("Conditions on the origin, any of which may hold.")
    allowMethods: list[Annotated[str, AfterValidator(_method)]] | None = optional("Methods that pages may use.")
    allowHeaders: list[HeaderName] | None = optional("Headers that pages may send.")
    exposeHeaders: list[HeaderName] | None = optional("Headers of the response that pages may read.")
    maxAge: Duration | None = optional("How long a browser may remember this, in whole seconds, such as 24h.")
    allowCredentials: BoolValue | None = optional("Whether pages may send cookies and other credentials.")
    unmatchedPreflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] | None = optional(
        "Whether preflight requests of other origins are passed on (the default), or answered here without leave."
    )

    def check(self) -> Findings:
        for i, origin in enumerate(self.allowOrigins or ()):
            if not (origin.exact or origin.prefix or origin.regex):
                yield ("allowOrigins", i), "needs exact, prefix or regex"
        if self.maxAge and nanoseconds(self.maxAge) % 10**9:
            yield ("maxAge",), f"{show(self.maxAge)} is not a whole number of seconds"


class HTTPRouteDestination(Message):
    """One destination of a route, and its weight."""

    destination: Destination = Field(description="The service, or the subset of it, that gets the requests.")
    weight: Weight | None = optional("Percentage of the route's requests; of several receivers they add up to 100.")
    headers: Headers | None = optional("Changes to headers of requests and responses of this receiver.")

    def check(self) -> Findings:
        if self.headers:
            yield from nested(("headers",), self.headers.check_reserved("host"))


class Delegate(Message):
    """A delegate: a VirtualService without hosts, to which the routing is left."""

    name: str | None = optional("Name of the VirtualService.")
    namespace: str | None = optional("Its namespace; this one's own if not set.")


class HTTPBody(Message):
    """The body of an answer."""

    one_of: ClassVar = ("string", "bytes")

    string: str | None = optional("The body as text.")
    bytes: Annotated[Base64, OpenAPI("byte")] | None = optional("The body in base64.")


class HTTPDirectResponse(Message):
    """An answer without any receiver."""

    status: Annotated[UInt32, Interval(ge=200, le=600)] = Field(description="Status code of the answer.")
    body: HTTPBody | None = optional("Body of the answer, 1 MB at most; none if not set.")

    def check(self) -> Findings:
        if self.body and len((self.body.string or self.body.bytes or "").encode()) > _LARGEST_BODY:
            yield ("body",), "is larger than 1 MB"


class HTTPMirrorPolicy(Message):
    """A copy of the requests."""

    destination: Destination = Field(description="Who gets the copies; answers are dropped.")
    percentage: Percent | None = optional("Share of the requests that are copied; all if not set.")


class HTTPRoute(Message):
    """An HTTP route: match conditions, and what happens to the requests that match any of them."""

    name: str | None = optional("Name of the route, shown in access logs.")
    match: list[HTTPMatchRequest] | None = optional("Conditions, any of which may hold; every request if not set.")
    route: list[HTTPRouteDestination] | None = optional("Receivers of the requests.")
    redirect: HTTPRedirect | None = optional("Answer with a redirect; not together with route, rewrite or fault.")
    directResponse: HTTPDirectResponse | None = optional(
        "Answer at once; not together with route, redirect, rewrite or fault."
    )
    delegate: Delegate | None = optional("Leave the routing to another VirtualService.")
    rewrite: HTTPRewrite | None = optional("Change path or host before the request is passed on.")
    timeout: Duration | None = optional("How long a request may take in all, such as 15s; no limit if not set.")
    retries: HTTPRetry | None = optional("Try failed requests again.")
    fault: HTTPFaultInjection | None = optional("Play faults on the client's side.")
    mirror: Destination | None = optional("A further receiver of copies, whose answers are dropped.")
    mirrorPercent: Annotated[UInt32Value, Le(100)] | None = optional(
        "Deprecated, see mirrorPercentage. Percentage of requests that are copied, 0 to 100."
    )
    mirror_percent: Annotated[UInt32Value, Le(100)] | None = optional("Deprecated spelling of mirrorPercent.")
    mirrorPercentage: Percent | None = optional("Share of the requests that are copied; all if not set.")
    mirrors: list[HTTPMirrorPolicy] | None = optional("Copies to several receivers, in place of mirror.")
    corsPolicy: CorsPolicy | None = optional("Which pages of other origins may call from a browser.")
    headers: Headers | None = optional("Changes to the headers of requests and responses.")

    def check(self) -> Findings:
        yield from at_most_one(self, "mirrorPercent", "mirror_percent")
        if self.mirror and self.mirrors:
            yield ("mirrors",), "cannot be set together with mirror"
        yield from self._check_action()
        if self.headers:
            yield from nested(("headers",), self.headers.check_reserved("host", ":authority"))
        if self._authorities() > 1:
            yield (), "sets the authority more than once, by rewrite.authority or headers.request"

    def _check_action(self) -> Findings:
        if self.delegate:
            clashing = ["redirect", "route"]
        elif self.redirect:
            clashing = ["route", "fault", "rewrite", "directResponse"]
        elif self.directResponse:
            clashing = ["route", "fault", "rewrite"]
        else:
            clashing = []
            if not self.route:
                yield (), "needs route, redirect or delegate"
        action = next((name for name in ("delegate", "redirect", "directResponse") if self.is_set(name)), "")
        for name in clashing:
            if self.is_set(name):
                yield (name,), f"cannot be set together with {action}"

    def _authorities(self) -> int:
        request = self.headers.request if self.headers else None
        changed = [*(request.set or ()), *(request.add or ())] if request else []
        names = [name for name in changed if name.lower() in ("host", ":authority")]
        return len(names) + bool(self.rewrite and self.rewrite.authority)
