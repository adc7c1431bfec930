"""AuthorizationPolicy: access control for workloads."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import AfterValidator, Field

from mesh.api import enforced
from mesh.api.common import PolicySelector, PolicyTargetReference, TargetReferences
from mesh.api.enforced import ONE_SELECTION, Enforced
from mesh.api.model import AGE, Column, Findings, Kind, Message, Names, at_most_one, not_empty, optional
from mesh.api.names import Subnet, is_subnet
from mesh.api.scalars import Text, port_of
from mesh.core.errors import nearest, show

__all__ = [
    "AuthorizationPolicy",
    "Condition",
    "ExtensionProvider",
    "From",
    "Operation",
    "Rule",
    "Source",
    "To",
]

ATTRIBUTES = (
    *("source.ip", "remote.ip", "source.namespace", "source.principal", "destination.ip", "destination.port"),
    *("source.serviceAccount", "source.trustDomain"),
    *("request.auth.principal", "request.auth.audiences", "request.auth.presenter", "connection.sni"),
)
"""Attributes that a condition can use as its key."""
KEYED_ATTRIBUTES = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
"""Attributes that are maps: the condition's key names one entry in brackets, as in `request.headers[x-id]`."""
_ADDRESSES = ("source.ip", "remote.ip", "destination.ip")
_NOT_FOR_CUSTOM = ("source.namespace", "source.principal", "source.serviceAccount", "source.trustDomain")


def _port(text: str) -> str:
    if port_of(text) is None:
        raise ValueError(f"{show(text)} is not a port, 0 to 65535")
    return text


def _attribute(key: str) -> str:
    keyed = key.startswith(KEYED_ATTRIBUTES) and key.endswith("]") and 0 < key.find("[") < len(key) - 2
    if key not in ATTRIBUTES and not keyed:
        names = [*ATTRIBUTES, *(f"{name}[…]" for name in KEYED_ATTRIBUTES)]
        raise ValueError(f"{show(key)} is not one of {', '.join(names)}{nearest(key, names)}")
    return key


def _service_account(text: str) -> str:
    namespace, slash, name = text.rpartition("/")
    if not name or "/" in namespace or (slash and not namespace) or "*" in text or len(text) > 320:
        raise ValueError(f'{show(text)} is not a service account: write "name" or "namespace/name", without wildcards')
    return text


def _trust_domain(text: str) -> str:
    if not text or "/" in text or "*" in text[1:-1] or (text.count("*") > 1):
        raise ValueError(f"{show(text)} is not a trust domain; * may stand at its start, at its end, or alone")
    return text


Ports = list[Annotated[str, AfterValidator(_port)]]
TrustDomains = list[Annotated[str, AfterValidator(_trust_domain)]]
ServiceAccounts = Annotated[
    list[Annotated[str, AfterValidator(_service_account), Enforced(maxLength=320)]],
    Enforced(maxItems=16),
]


_FORMS: Mapping[str, Callable[[str], str]] = {
    "source.serviceAccount": _service_account,
    "source.trustDomain": _trust_domain,
}
"""Checks of an attribute's values; they raise ValueError."""


class Source(Message):
    """Conditions on the caller, all of which must hold. In names, * may stand at the start, at the end, or alone."""

    enforced: ClassVar = (
        enforced.Rule(
            "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) &&\n"
            "!has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true",
            "Cannot set serviceAccounts with namespaces or principals",
        ),
    )

    principals: list[Text] | None = optional(
        "Workload identities, as trust-domain/ns/namespace/sa/account; needs mTLS."
    )
    notPrincipals: list[Text] | None = optional("Workload identities that are not meant.")
    requestPrincipals: list[Text] | None = optional("Identities in the request's JWT, as issuer/subject.")
    notRequestPrincipals: list[Text] | None = optional("Identities in the request's JWT that are not meant.")
    serviceAccounts: ServiceAccounts | None = optional(
        "Service accounts of the caller, as namespace/name, or name in the policy's own namespace; needs mTLS."
    )
    notServiceAccounts: ServiceAccounts | None = optional("Service accounts that are not meant.")
    trustDomains: TrustDomains | None = optional("Trust domains of the caller's identity; needs mTLS.")
    notTrustDomains: TrustDomains | None = optional("Trust domains that are not meant.")
    namespaces: list[Text] | None = optional("Namespaces of the caller; needs mTLS.")
    notNamespaces: list[Text] | None = optional("Namespaces that are not meant.")
    ipBlocks: list[Subnet] | None = optional("Addresses or ranges that the connection comes from.")
    notIpBlocks: list[Subnet] | None = optional("Addresses or ranges that are not meant.")
    remoteIpBlocks: list[Subnet] | None = optional(
        "Addresses or ranges of the original client, by X-Forwarded-For or the PROXY protocol."
    )
    notRemoteIpBlocks: list[Subnet] | None = optional("Addresses or ranges of original clients that are not meant.")

    def check(self) -> Findings:
        yield from not_empty(self)
        by_account = self.is_set("serviceAccounts") or self.is_set("notServiceAccounts")
        for name in ("principals", "notPrincipals", "namespaces", "notNamespaces"):
            if self.is_set(name) and by_account:  # the API server counts empty lists, too
                yield (name,), "cannot be set together with serviceAccounts or notServiceAccounts"


class Operation(Message):
    """Conditions on the request, all of which must hold. In names, * may stand at the start, the end, or alone."""

    hosts: list[Text] | None = optional("Hosts of the request; HTTP only.")
    notHosts: list[Text] | None = optional("Hosts that are not meant.")
    ports: Ports | None = optional("Ports of the connection, as text.")
    notPorts: Ports | None = optional("Ports that are not meant.")
    methods: list[Text] | None = optional("Methods of the request, POST for gRPC; HTTP only.")
    notMethods: list[Text] | None = optional("Methods that are not meant.")
    paths: list[Text] | None = optional("Paths of the request, /package.Service/Method for gRPC; HTTP only.")
    notPaths: list[Text] | None = optional("Paths that are not meant.")

    def check(self) -> Findings:
        yield from not_empty(self)


class Condition(Message):
    """A condition on the value of one attribute."""

    key: Annotated[str, AfterValidator(_attribute)] = Field(
        description="The attribute, such as source.ip, request.headers[name] or request.auth.claims[name]."
    )
    values: list[Text] | None = optional("Values, one of which the attribute must have.")
    notValues: list[Text] | None = optional("Values, none of which the attribute may have.")

    def check(self) -> Findings:
        if not self.values and not self.notValues:
            yield (), "needs values, notValues or both"
        for name in ("values", "notValues"):
            for i, value in enumerate(getattr(self, name) or ()):
                if self.key in _ADDRESSES and not is_subnet(value):
                    yield (name, i), f"{show(value)} is neither an IP address nor a range"
                if self.key == "destination.port" and port_of(value) is None:
                    yield (name, i), f"{show(value)} is not a port, 0 to 65535"
                if form := _FORMS.get(self.key):
                    try:
                        form(value)
                    except ValueError as error:
                        yield (name, i), str(error)


class From(Message):
    """The caller of a rule: an entry of its list `from`."""

    required: ClassVar = ()

    source: Source = Field(description="Who calls.")


class To(Message):
    """The operation of a rule: an entry of its list `to`."""

    required: ClassVar = ()

    operation: Operation = Field(description="What is asked for.")


class Rule(Message):
    """Matches a request from one of the sources, to one of the operations, if all conditions hold."""

    from_: Annotated[list[From], MinLen(1), Enforced(maxItems=512)] | None = optional(
        "Callers; anybody if not set.", wire="from"
    )
    to: Annotated[list[To], MinLen(1)] | None = optional("Operations; any if not set.")
    when: list[Condition] | None = optional("Further conditions, all of which must hold.")


class ExtensionProvider(Message):
    """The external authorizer that decides about a request."""

    required: ClassVar = ()

    name: Text = Field(description="Its name among the extension providers of the mesh's configuration.")


class AuthorizationPolicy(Kind):
    """Who may do what with some workloads. One that allows and has no rules allows nothing."""

    names: ClassVar = Names(
        group="security.istio.io",
        plural="authorizationpolicies",
        short=("ap",),
        columns=(Column("Action", ".spec.action", "What happens to the requests that are meant."), AGE),
    )
    one_of: ClassVar = ("provider",)
    enforced: ClassVar = (ONE_SELECTION,)

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    targetRef: PolicyTargetReference | None = optional("Deprecated, see targetRefs.")
    targetRefs: TargetReferences | None = optional(
        "Gateways of the Gateway API, waypoints, or services behind one, that the policy is for; not with selector."
    )
    rules: Annotated[list[Rule], Enforced(maxItems=512)] | None = optional(
        "Requests that are meant, by any of the rules; {} means all, no rule none."
    )
    action: Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"] | None = optional(
        "Allow only these requests (the default), deny them, note them, or let the provider decide about them."
    )
    provider: ExtensionProvider | None = optional("Who decides, with action CUSTOM.")

    def check(self) -> Findings:
        yield from at_most_one(self, "selector", "targetRef", "targetRefs")
        if self.action in ("DENY", "CUSTOM") and not self.rules:
            yield ("rules",), f"is required with {self.action}; one rule {{}} means every request"
        if self.action == "CUSTOM":
            if not self.provider:
                yield ("provider",), "is required with CUSTOM"
            yield from self._check_custom()
        elif self.provider:
            yield ("provider",), "needs action CUSTOM"

    def _check_custom(self) -> Findings:
        """Refuses conditions on identities: proxies call the external authorizer before they know who the caller is."""
        reason = "is not possible with CUSTOM"
        for i, rule in enumerate(self.rules or ()):
            for j, caller in enumerate(rule.from_ or ()):
                for name in type(caller.source).model_fields:
                    if not name.endswith("Blocks") and getattr(caller.source, name):
                        yield ("rules", i, "from", j, "source", name), reason
            for j, condition in enumerate(rule.when or ()):
                if condition.key in _NOT_FOR_CUSTOM or condition.key.startswith("request.auth."):
                    yield ("rules", i, "when", j, "key"), f"{show(condition.key)} {reason}"
