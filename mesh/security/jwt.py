"""`mesh:security.jwt`: JSON Web Tokens that a gateway requires of clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from pydantic import Field

from mesh import api
from mesh.analysis.hosts import ALL, overlap
from mesh.api.scalars import Text as NotEmpty
from mesh.core.errors import not_one_of, show
from mesh.core.kubernetes import Name
from mesh.core.secure import is_placeholder
from mesh.core.typed import Documented, Findings, ShortForm
from mesh.security.access import Claims, PathPattern, conditions, host_forms, path_pattern
from mesh.traffic import envoy
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.ingress import DEFAULT_GATEWAY, HostName, Ingress, has_cors
from mesh.traffic.matching import Method
from mesh.traffic.objects import ConfigObject
from mesh.traffic.rate_limit_filters import SUPPRESSION

PATH: Final = "security.jwt"
_MOST: Final = 5
"""The most lists of methods of public requests: each doubles the operations of the policy."""


class Public(ShortForm):
    """Requests that need no token: those that match all of the fields."""

    short_forms = "a path"

    paths: list[PathPattern] = []
    """Paths, exact or with `*` at the start or end; any if empty."""
    methods: list[Method] = []
    """HTTP methods, such as `OPTIONS`; any if empty."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"paths": [value if is_placeholder(value) else path_pattern(value)]}
        return value

    def check(self) -> Findings:
        if not (self.paths or self.methods):
            yield (), "needs paths, methods or both"


class Requirement(Documented):
    """A requirement for the tokens of some requests: those that match `hosts`, `paths` and `methods`."""

    hosts: list[HostName] = []
    """Hosts; any if empty."""
    paths: list[PathPattern] = []
    """Paths, exact or with `*` at the start or end; any if empty."""
    methods: list[Method] = []
    """HTTP methods; any if empty."""
    issuer: NotEmpty | None = None
    """Issuer of the token, one of `issuers`; any of them if not set."""
    claims: Claims = {}
    """Claims that the token must have, by name (`outer[inner]` for a nested one), each with the values of which it
    must have one."""

    def check(self) -> Findings:
        if not (self.issuer or self.claims):
            yield (), "needs issuer, claims or both: the content that tokens must have"


class Jwt(Documented):
    """JSON Web Tokens that a gateway requires of clients. A missing token gets status 403, an invalid one 401. The
    gateway answers preflight requests of browsers, which carry no token, where a route has `cors`."""

    issuers: list[api.JWTRule] = Field(min_length=1)
    """Issuers whose tokens are accepted, with the fields of Istio's JWTRule: `issuer`, and `jwksUri` or `jwks`."""
    gateway: Name = DEFAULT_GATEWAY
    """Name of the stack's gateway."""
    hosts: list[HostName] = []
    """Hosts that require a token; all if empty."""
    paths: list[PathPattern] = []
    """Paths that need a token, exact or with `*` at the start or end; all if empty."""
    public: list[Public] = []
    """Requests that need no token: a path, exact or with `*` at the start or end, or a map of paths and methods."""
    require: list[Requirement] = []
    """Further requirements for the tokens of some requests."""

    def check(self) -> Findings:
        for i, rule in enumerate(self.issuers):
            if not (rule.jwks or rule.jwksUri or rule.jwks_uri) and not (rule.issuer or "").startswith("https://"):
                yield ("issuers", i), "needs jwksUri or jwks: only an https:// issuer publishes the address of its keys"
        for i, public in enumerate(self.public):
            for path in public.paths if not public.methods else ():
                if path in ("*", "/*"):
                    yield ("public", i), f"{show(path)} matches every path, so nobody would need a token: leave jwt out"
        known = [rule.issuer or "" for rule in self.issuers]
        for i, wanted in enumerate(self.require):
            if wanted.issuer and wanted.issuer not in known and not any(map(is_placeholder, known)):
                yield ("require", i, "issuer"), f"{not_one_of(wanted.issuer, known)} (issuers)"
        if len(_by_methods(self.public)) > _MOST:
            yield ("public",), f"has more than {_MOST} different lists of methods: join some"


def objects(jwt: Jwt, stack: StackContext, entries: Mapping[str, Ingress]) -> Iterator[ConfigObject]:
    """The RequestAuthentication, an AuthorizationPolicy that denies requests without a token, and an EnvoyFilter where
    one of `entries`, the hosts of the stack's gateways, has CORS behind tokens. Raises ApiError if the gateway is not
    the stack's."""
    ref = stack.gateway(jwt.gateway)
    selector = api.PolicySelector(matchLabels=dict(ref.selector))
    name = f"{ref.name}-jwt"
    known = api.RequestAuthentication(selector=selector, jwtRules=jwt.issuers)
    yield ConfigObject(path=PATH, body=known, name=name, namespace=ref.namespace)
    if any(_required(jwt, entry) and has_cors(entry) for entry in entries.values()):
        body = api.EnvoyFilter.from_wire(
            {"workloadSelector": {"labels": dict(ref.selector)}, "configPatches": [envoy.cors_filter()]}
        )
        yield ConfigObject(path=PATH, body=body, name=name, namespace=ref.namespace, annotations=SUPPRESSION)
    nobody = api.From(source=api.Source(notRequestPrincipals=["*"]))
    rule = api.Rule(from_=[nobody], to=[api.To(operation=one) for one in _operations(jwt, ref)] or None)
    rules = [rule, *(more for wanted in jwt.require for more in _refused(wanted, ref))]
    refused = api.AuthorizationPolicy(selector=selector, action="DENY", rules=rules)
    yield ConfigObject(path=PATH, body=refused, name=name, namespace=ref.namespace, late=True)


def _operations(jwt: Jwt, ref: GatewayRef) -> Iterator[api.Operation]:
    """The operations that match requests that need a token; none if all requests do. A request is public if a list of
    methods and its paths match, so it needs a token if for each list its method or its path differs."""
    asked = {"hosts": [form for host in jwt.hosts for form in host_forms(host, ref)], "paths": list(jwt.paths)}
    public = _by_methods(jwt.public)
    ways = [_exceptions(methods, paths) for methods, paths in public.items()]
    for way in product(*ways):
        fields = dict(asked)
        for name, values in way:
            fields[name] = [*fields.get(name, ()), *values]
        if given := {name: list(dict.fromkeys(values)) for name, values in fields.items() if values}:
            yield api.Operation(**given)


def _by_methods(public: Sequence[Public]) -> Mapping[tuple[str, ...], list[str]]:
    """The public paths by their methods. Empty paths mean all paths, and no methods mean any method."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in public:
        found.setdefault(tuple(one.methods), [])
    for methods in found:
        paths = [one.paths for one in public if tuple(one.methods) == methods]
        found[methods] = [path for some in paths for path in some] if all(paths) else []
    return found


def _exceptions(methods: Sequence[str], paths: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Fields of an operation. Each of them alone excludes these requests."""
    return [(name, list(values)) for name, values in (("notPaths", paths), ("notMethods", methods)) if values]


def _refused(wanted: Requirement, ref: GatewayRef) -> Iterator[api.Rule]:
    """A rule that matches tokens of another issuer, and one for each claim that is missing or has another value."""
    fields = {
        "hosts": [form for host in wanted.hosts for form in host_forms(host, ref)],
        "paths": list(wanted.paths),
        "methods": list(map(str, wanted.methods)),
    }
    given = {name: values for name, values in fields.items() if values}
    to = [api.To(operation=api.Operation(**given))] if given else None
    if wanted.issuer:
        other = api.Source(notRequestPrincipals=[f"{wanted.issuer}/*"])
        yield api.Rule(from_=[api.From(source=other)], to=to)
    for condition in conditions(wanted.claims, wanted=False):
        yield api.Rule(to=to, when=[condition])


def _required(jwt: Jwt, entry: Ingress) -> bool:
    """Whether a host of the entry requires a token."""
    if entry.gateway != jwt.gateway:
        return False
    return any(overlap(host, wanted) for host in entry.hosts for wanted in jwt.hosts or (ALL,))
