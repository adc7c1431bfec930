"""Risks of weaker access control: mutual TLS, authorization policies, tokens and egress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.mesh import Mesh, selector_labels
from mesh.analysis.mtls import PERMISSIVE, STRICT, PeerAuthentications
from mesh.analysis.objects import Object, Ref
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.review.risks.risk import Found, RiskKind, Weight
from mesh.review.subject import Subject

_STRENGTH: Final = ("DISABLE", PERMISSIVE, STRICT)
_NOBODY: Final = "notRequestPrincipals"
_PLAIN: Final = "DISABLE"


def mtls(subject: Subject) -> Found:
    """PeerAuthentications with weaker modes, DestinationRules with plain text, `enableAutoMtls` turned off."""
    old, new = PeerAuthentications(subject.old), PeerAuthentications(subject.new)
    for change in subject.of(kinds.PEER_AUTHENTICATION):
        said = dict.fromkeys(_weaker(old, new, policy) for policy in (change.old, change.new) if policy)
        for text in filter(None, said):
            yield change.ref, f"{text} {_scope(change.item.object, subject.new)}"
    for change in subject.of(kinds.DESTINATION_RULE):
        was, now = (_client(rule) for rule in (change.old, change.new))
        if now == _PLAIN != was:
            host = change.item.object.spec.get("host")
            yield change.ref, f"callers of {host} speak plain text (tls {was or 'not set'} → {now})"
    for ref, config, before in _configs(subject):
        if before.get("enableAutoMtls", True) and not config.get("enableAutoMtls", True):
            yield ref, "enableAutoMtls is off: sidecars speak plain text where no rule says otherwise"


def _weaker(old: PeerAuthentications, new: PeerAuthentications, policy: Object) -> str:
    """How the mode gets weaker for the pods that a policy selects: `STRICT → PERMISSIVE`; empty if it does not."""
    pods = Workload(object=policy, labels=selector_labels(policy), annotations={}, pod={}, proxy=True)
    ports = [None, *(int(port) for port in policy.spec.get("portLevelMtls") or ())]
    for port in ports:
        was, now = old.mode(pods, port), new.mode(pods, port)
        if _STRENGTH.index(now) < _STRENGTH.index(was):
            return f"{was} → {now}{f' on port {port}' if port else ''}"
    return ""


def _scope(policy: Object, mesh: Mesh) -> str:
    """The pods that a policy selects, in words."""
    if chosen := selector_labels(policy):
        return f"for pods with {', '.join(f'{key}={value}' for key, value in sorted(chosen.items()))}"
    return "for the whole mesh" if policy.namespace == mesh.root else f"for namespace {policy.namespace}"


def _client(rule: Object | None) -> str:
    """The TLS mode that a DestinationRule sets for its whole host; empty if it sets none."""
    policy = (rule.spec.get("trafficPolicy") or {}) if rule else {}
    return str((policy.get("tls") or {}).get("mode") or "")


def _configs(subject: Subject) -> Iterator[tuple[Ref, Mapping[str, Any], Mapping[str, Any]]]:
    """MeshConfig, new and old, with the reference to its ConfigMap; nothing if it does not change."""
    for change in subject.of(kinds.CONFIG_MAP):
        if change.new and change.old and "mesh" in (change.new.body.get("data") or {}):
            yield change.ref, subject.new.config, subject.old.config


def egress(subject: Subject) -> Found:
    """`outboundTrafficPolicy` of the mesh or of a Sidecar that is no longer REGISTRY_ONLY."""
    for ref, config, before in _configs(subject):
        if _outbound(before) and not _outbound(config):
            yield (
                ref,
                "outboundTrafficPolicy REGISTRY_ONLY → ALLOW_ANY: the whole mesh may call hosts that it does not know",
            )
    for change in subject.of(kinds.SIDECAR):
        was, now = (_outbound(obj.spec) if obj else False for obj in (change.old, change.new))
        if was and not now and not _outbound(subject.new.config):
            yield change.ref, "its workloads may call hosts that the mesh does not know"


def _outbound(config: Mapping[str, Any]) -> bool:
    """Whether only hosts of the registry may be called."""
    return bool((config.get("outboundTrafficPolicy") or {}).get("mode") == "REGISTRY_ONLY")


def loosened(subject: Subject) -> Found:
    """AuthorizationPolicies that allow more or deny less, further issuers of tokens, deleted NetworkPolicies."""
    for change in subject.of(kinds.AUTHORIZATION_POLICY):
        for policy, other in ((change.old, change.new), (change.new, change.old)):
            if policy and not asks_for_token(policy):
                yield from ((change.ref, why) for why in _looser(policy, other, policy is change.old, subject))
    for change in subject.of(kinds.REQUEST_AUTHENTICATION):
        was, now = (_issuers(obj) for obj in (change.old, change.new))
        if change.old and (more := sorted(now - was)):
            yield change.ref, f"tokens of {', '.join(more)} are accepted as well"
    for change in subject.of(kinds.NETWORK_POLICY):
        if change.new is None:
            yield change.ref, "it is gone: its pods take connections from everywhere"


def _looser(policy: Object, other: Object | None, is_old: bool, subject: Subject) -> Iterator[str]:
    """How access gets looser by a policy that is changed, deleted (`is_old`) or created; `other` is its counterpart."""
    action = policy.spec.get("action", "ALLOW")
    rest = other if other and _about(other) == _about(policy) else None
    if is_old and action == "DENY" and not _covered(policy, rest):
        yield "it denies less than before" if rest else "what it denied is no longer denied by it"
    elif is_old and action == "ALLOW" and not rest and not _guards(subject.new, policy):
        yield "no other policy allows anything here: everybody may call"
    elif not is_old and action == "ALLOW" and _guards(subject.old, policy) and not _covered(policy, rest):
        yield "it allows more than before" if rest else "it allows what was not allowed"


def _about(policy: Object) -> tuple[str, Mapping[str, str]]:
    """The action and the selector of a policy."""
    return policy.spec.get("action", "ALLOW"), selector_labels(policy)


def _guards(mesh: Mesh, policy: Object) -> bool:
    """Whether some ALLOW policy applies to all pods that `policy` selects, so that other requests are denied."""
    return any(
        one.spec.get("action", "ALLOW") == "ALLOW"
        and one.namespace in (policy.namespace, mesh.root)
        and selector_labels(one).items() <= selector_labels(policy).items()
        for one in mesh.of(kinds.AUTHORIZATION_POLICY)
    )


def _covered(policy: Object, other: Object | None) -> bool:
    """Whether the rules of `other` match every request that the rules of `policy` match.

    Rules are compared one by one, so that it may be False where several rules together match them.
    """
    theirs = other.items("rules") if other else ()
    return all(any(_within(rule or {}, wide or {}) for wide in theirs) for rule in policy.items("rules"))


def _within(narrow: Mapping[str, Any], wide: Mapping[str, Any]) -> bool:
    """Whether the rule `wide` matches every request that the rule `narrow` matches."""
    for field, inner in (("from", "source"), ("to", "operation")):
        limits, entries = wide.get(field) or (), narrow.get(field) or ()
        if limits and not entries:
            return False
        for entry in entries if limits else ():
            if not any(_fits(entry.get(inner) or {}, limit.get(inner) or {}) for limit in limits):
                return False
    return all(condition in (narrow.get("when") or ()) for condition in wide.get("when") or ())


def _fits(narrow: Mapping[str, Any], wide: Mapping[str, Any]) -> bool:
    """Whether the source or operation `narrow` has all conditions of `wide`, or stricter ones."""
    for field, values in wide.items():
        own = set(narrow.get(field) or ())
        if not (own >= set(values) if field.startswith("not") else own and own <= set(values)):
            return False
    return True


def asks_for_token(policy: Object) -> bool:
    """Whether a policy denies requests without a token."""
    callers = [entry.get("source") or {} for rule in policy.items("rules") for entry in (rule or {}).get("from") or ()]
    return policy.spec.get("action") == "DENY" and any(_NOBODY in caller for caller in callers)


def tokens(subject: Subject) -> Found:
    """Policies that no longer require a token, and RequestAuthentications that are deleted."""
    for change in subject.of(kinds.AUTHORIZATION_POLICY):
        if change.old and asks_for_token(change.old) and not _covered(change.old, change.new):
            yield change.ref, "fewer requests need a token" if change.new else "requests need no token any more"
    for change in subject.of(kinds.REQUEST_AUTHENTICATION):
        if change.new is None:
            yield change.ref, "tokens are no longer validated: requests with invalid ones are accepted"


def _issuers(obj: Object | None) -> set[str]:
    return {rule.get("issuer", "") for rule in obj.items("jwtRules")} if obj else set()


RISKS: Final = (
    RiskKind(
        name="mTLS weakened",
        weight=Weight.HIGH,
        meaning="a weaker mode of mutual TLS applies (STRICT, PERMISSIVE, DISABLE), or callers send plain text",
        find=mtls,
    ),
    RiskKind(
        name="access rules loosened",
        weight=Weight.HIGH,
        meaning="an AuthorizationPolicy allows more or denies less, the last ALLOW policy is deleted, another issuer of"
        " tokens is trusted, or a NetworkPolicy is deleted",
        find=loosened,
    ),
    RiskKind(
        name="JWT no longer required",
        weight=Weight.HIGH,
        meaning="requests without a token, or with an invalid one, are accepted where they were denied",
        find=tokens,
    ),
    RiskKind(
        name="egress allowed to any host",
        weight=Weight.HIGH,
        meaning="outboundTrafficPolicy is no longer REGISTRY_ONLY",
        find=egress,
    ),
)
