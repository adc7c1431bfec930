"""Risks of weaker access control: mutual TLS, authorization policies, tokens and egress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis.mesh import Mesh, selector_labels, targets
from mesh.analysis.mtls import PERMISSIVE, STRICT, PeerAuthentications
from mesh.analysis.objects import Object, Ref
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import DEFAULT_TRUST_DOMAIN
from mesh.requests.comparison import Answer
from mesh.requests.samples import Sample
from mesh.review.changes import Change
from mesh.review.risks import admitted
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
            yield change.ref, f"callers of {host} send plain text (tls {was or 'not set'} → {now})"
    for ref, config, before in _configs(subject):
        if before.get("enableAutoMtls", True) and not config.get("enableAutoMtls", True):
            yield ref, "enableAutoMtls is off: sidecars send plain text unless a DestinationRule sets mutual TLS"


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
    """Changed AuthorizationPolicies that let in requests that were refused, additional issuers of tokens, and deleted
    NetworkPolicies."""
    changed = [one for one in subject.of(kinds.AUTHORIZATION_POLICY) if not _asks_for_token(one)]
    looser = {one.ref: list(_texts(one, subject)) for one in changed}
    yield from _first_of_each(_let_in_by(changed, looser, subject))
    for change in changed:
        if not all(admitted.is_evaluated(policy, mesh) for policy, mesh in _sides(change, subject)):
            yield from ((change.ref, why) for why in looser[change.ref])
    for change in subject.of(kinds.REQUEST_AUTHENTICATION):
        was, now = (_issuers(obj) for obj in (change.old, change.new))
        if change.old and (more := sorted(now - was)):
            yield change.ref, f"tokens of {', '.join(more)} are accepted as well"
    for change in subject.of(kinds.NETWORK_POLICY):
        if change.new is None:
            yield change.ref, "it is deleted: its pods accept connections from everywhere"


def _asks_for_token(change: Change) -> bool:
    return any(asks_for_token(policy) for policy in (change.old, change.new) if policy)


def _sides(change: Change, subject: Subject) -> Iterator[tuple[Object, Mesh]]:
    """The policy before and after, each with its mesh."""
    for policy, mesh in ((change.old, subject.old), (change.new, subject.new)):
        if policy:
            yield policy, mesh


def _let_in_by(changed: Sequence[Change], looser: Mapping[Ref, Sequence[str]], subject: Subject) -> Found:
    """The requests that policies refused and now let in, with the changed policies that apply to them; only those
    policies whose own text allows more, if there are any."""
    for turned in admitted.opened(subject):
        if not admitted.is_forbidden(turned.was.outcome):
            continue
        near = [
            change
            for change in changed
            if any(turned.concerns(policy, mesh) for policy, mesh in _sides(change, subject))
        ]
        for change in [change for change in near if looser[change.ref]] or near:
            yield change.ref, f"a request that was refused is now let in: {turned.text}"


def refused(subject: Subject) -> Found:
    """Changed AuthorizationPolicies that refuse requests that were let in, and a trust domain that running pods do not
    have yet."""
    changed = list(subject.of(kinds.AUTHORIZATION_POLICY))
    yield from _first_of_each(
        (change.ref, f"a request that was let in is now refused: {turned.text}")
        for turned in admitted.closed(subject)
        if admitted.is_forbidden(turned.now.outcome)
        for change in changed
        if any(turned.concerns(policy, mesh) for policy, mesh in _sides(change, subject))
    )
    for ref, config, before in _configs(subject):
        was, now = (said.get("trustDomain") or DEFAULT_TRUST_DOMAIN for said in (before, config))
        policies = subject.new.of(kinds.AUTHORIZATION_POLICY)
        if was != now and was not in (config.get("trustDomainAliases") or ()) and any(map(_names_callers, policies)):
            yield (
                ref,
                f"trustDomain {was} → {now}: running pods have the old identity until they restart, and get 403 where"
                f" policies name callers; trustDomainAliases: [{was}] allows both",
            )


def _names_callers(policy: Object) -> bool:
    return any(
        (one.get("source") or {}).get("principals") for r in policy.items("rules") for one in r.get("from") or ()
    )


def _first_of_each(found: Found) -> Found:
    """The first reason for each object."""
    seen: dict[Ref, str] = {}
    for ref, why in found:
        seen.setdefault(ref, why)
    yield from seen.items()


def _texts(change: Change, subject: Subject) -> Iterator[str]:
    """How access gets looser, judged only by the text of a policy."""
    for policy, other in ((change.old, change.new), (change.new, change.old)):
        if policy:
            yield from _looser(policy, other, policy is change.old, subject)


def _looser(policy: Object, other: Object | None, is_old: bool, subject: Subject) -> Iterator[str]:
    """How access gets looser by a policy that is changed, deleted (`is_old`) or created; `other` is its counterpart."""
    action = policy.spec.get("action", "ALLOW")
    rest = other if other and _about(other) == _about(policy) else None
    if is_old and action == "DENY" and not _covered(policy, rest):
        yield "it denies less than before" if rest else "it no longer denies what it denied before"
    elif is_old and action == "ALLOW" and not rest and not _guards(subject.new, policy):
        yield "no other policy allows requests to these pods: everybody may call them"
    elif not is_old and action == "ALLOW" and _guards(subject.old, policy) and not _covered(policy, rest):
        yield "it allows more than before" if rest else "it allows requests that were not allowed before"


def _about(policy: Object) -> tuple[str, Mapping[str, str], Sequence[Mapping[str, str]]]:
    """The action, the selector and the targets of a policy."""
    return policy.spec.get("action", "ALLOW"), selector_labels(policy), targets(policy)


def _guards(mesh: Mesh, policy: Object) -> bool:
    """Whether some ALLOW policy applies to all pods that `policy` selects, so that other requests are denied."""
    return any(
        one.spec.get("action", "ALLOW") == "ALLOW" and _reaches(one, policy, mesh)
        for one in mesh.of(kinds.AUTHORIZATION_POLICY)
    )


def _reaches(one: Object, policy: Object, mesh: Mesh) -> bool:
    """Whether a policy applies to all pods or targets of another one."""
    own, others = targets(one), targets(policy)
    if own or others:
        return bool(others) and one.namespace == policy.namespace and all(target in own for target in others)
    near = one.namespace in (policy.namespace, mesh.root)
    return near and selector_labels(one).items() <= selector_labels(policy).items()


def _covered(policy: Object, other: Object | None) -> bool:
    """Whether the rules of `other` match every request that the rules of `policy` match.

    Rules are compared one by one, so the result may be False although several rules together match them.
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
            let_in = [
                one for one in subject.requests.answers if _is_let_in_without_token(change.old, subject.old, *one)
            ]
            if let_in or not admitted.is_evaluated(change.old, subject.old):
                yield change.ref, "fewer requests need a token" if change.new else "requests no longer need a token"
    for change in subject.of(kinds.REQUEST_AUTHENTICATION):
        if change.new is None:
            yield change.ref, "tokens are no longer validated: requests with invalid ones are accepted"


def _is_let_in_without_token(policy: Object, mesh: Mesh, sample: Sample, was: Answer, now: Answer) -> bool:
    """Whether a request without a token passes a policy that refused it, whether or not there is a route for it."""
    refused = admitted.is_forbidden(was.outcome) and not admitted.is_forbidden(now.outcome)
    return not sample.principal and refused and admitted.Turned(sample, was, now).concerns(policy, mesh)


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
        meaning="a request that AuthorizationPolicies refused is now let in (judged by their texts if they are not"
        " evaluated), another issuer of tokens is trusted, or a NetworkPolicy is deleted",
        find=loosened,
    ),
    RiskKind(
        name="requests refused",
        weight=Weight.MEDIUM,
        meaning="an AuthorizationPolicy refuses a request that was let in, or policies name callers by another"
        " trustDomain than running pods have",
        find=refused,
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
