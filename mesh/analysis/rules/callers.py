"""Checks AuthorizationPolicies that depend on callers: callers have an identity, and mirrors allow them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import codes, virtual_services
from mesh.analysis.authorization_policies import IDENTITY, parts
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.mtls import DISABLE, STRICT, PeerAuthentications
from mesh.analysis.objects import Object
from mesh.analysis.rules.authorization import matches
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import DEFAULT_TRUST_DOMAIN

_WITHOUT_IDENTITY: Final = ("DISABLE", "SIMPLE")
"""Modes of a DestinationRule in which callers present no certificate."""


def without_identity(mesh: Mesh) -> Iterator[Finding]:
    """Where a policy allows only callers with an identity, connections use Istio's mutual TLS, which proves it."""
    peers, rules = PeerAuthentications(mesh), _ClientTls(mesh)
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        if not _needs_identity(policy):
            continue
        pods = [pod for pod in mesh.selected_by(policy) if pod.proxy]
        why = next(filter(None, (_why_unknown(mesh, pod, peers, rules) for pod in pods)), "")
        if why:
            yield codes.NO_IDENTITY.at(policy, "rules", f"allows nobody, since callers have no identity: {why}")


def _needs_identity(policy: Object) -> bool:
    """Whether a policy allows requests, and none without the caller's identity."""
    callers = [(rule or {}).get("from") or [{}] for rule in policy.items("rules")]
    sources = [one.get("source") or {} for some in callers for one in some]
    asks = bool(sources) and all(any(source.get(field) for field in IDENTITY) for source in sources)
    return policy.spec.get("action", "ALLOW") == "ALLOW" and asks


class _ClientTls:
    """The TLS modes that DestinationRules set for calls to workloads."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._automatic = mesh.config.get("enableAutoMtls") is not False
        self._plain: dict[Workload, Object] = {}
        self._mutual: set[Workload] = set()
        self._everywhere = False
        for rule in mesh.of(kinds.DESTINATION_RULE):
            mode = ((rule.spec.get("trafficPolicy") or {}).get("tls") or {}).get("mode")
            host = rule.spec.get("host", "")
            service = mesh.service(host, rule.namespace)
            pods = mesh.workloads_of(service) if service and mode else ()
            if mode in _WITHOUT_IDENTITY:
                self._plain.update(dict.fromkeys(pods, rule))
            elif mode:
                self._everywhere |= host.startswith("*")
                self._mutual.update(pods)

    def why_plain(self, pod: Workload) -> str:
        """Why calls to a workload use no mutual TLS; empty if they do."""
        if pod in self._plain:
            return f"{self._plain[pod].ref} turns mutual TLS off for calls to {pod.object.ref}; leave its tls out"
        if self._automatic or self._everywhere or pod in self._mutual:
            return ""
        what = f"no DestinationRule has mode ISTIO_MUTUAL for {pod.object.ref}"
        strict = self._mesh.by("set mesh:security.mtls to STRICT", "add one")
        return f"with enableAutoMtls off, {what}; switch that on, or {strict}"


def _why_unknown(mesh: Mesh, pod: Workload, peers: PeerAuthentications, rules: _ClientTls) -> str:
    modes = _modes(mesh, pod, peers)
    if modes == {DISABLE}:
        policy = next(p for p in peers.applying_to(pod) if (p.spec.get("mtls") or {}).get("mode") == DISABLE)
        return f"{policy.ref} turns mutual TLS of {pod.object.ref} off; use PERMISSIVE or STRICT there"
    if modes & {DISABLE, STRICT}:  # it depends on the port, or without mutual TLS there is no connection at all
        return ""
    return rules.why_plain(pod)


def _modes(mesh: Mesh, pod: Workload, peers: PeerAuthentications) -> set[str]:
    """The modes of mutual TLS on the ports of a pod."""
    return {peers.mode(pod, number) for number in (None, *mesh.listening(pod))}


def denials(mesh: Mesh) -> Iterator[Finding]:
    """A rule that denies callers by identity selects pods that accept mutual TLS, without which nobody has one."""
    peers = PeerAuthentications(mesh)
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        if policy.spec.get("action") != "DENY":
            continue
        asking = [(path, field) for path, part in parts(policy) for field in part if field in IDENTITY]
        pods = [pod for pod in mesh.selected_by(policy) if pod.proxy] if asking else []
        if pods and all(_modes(mesh, pod, peers) == {DISABLE} for pod in pods):
            deciding = next(str(policy.ref) for policy in peers.applying_to(pods[0]))
            text = f"{deciding} turns mutual TLS off for its pods, so it denies nobody: use PERMISSIVE or STRICT there"
            yield codes.NO_IDENTITY.at(policy, ".".join(asking[0]), text)


def mirrors(mesh: Mesh) -> Iterator[Finding]:
    """A mirror allows the gateway that sends copies to it, and each caller that the mirrored service allows.

    Proxies drop the answers to copies, so nobody would see the 403. Only callers are compared, not their requests.
    """
    policies = _Allowing(mesh)
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(vs)):
            for path, destination, _ in virtual_services.mirrors(route):
                callers = [*_gateways(mesh, vs)]
                if virtual_services.MESH in (vs.items("gateways") or (virtual_services.MESH,)):
                    callers += policies.callers(_pods(mesh, vs, route))
                service = mesh.service(destination["host"], vs.namespace)
                pods = mesh.workloads_of(service) if service else ()
                for who, pod in policies.refused(callers, pods):
                    text = f"no AuthorizationPolicy of {pod.object.ref} allows {who}, whose copies get 403: allow it"
                    yield codes.MIRROR_REFUSED.at(vs, f"http[{i}].{path}", text)


def _gateways(mesh: Mesh, vs: Object) -> Iterator[Workload]:
    """A workload of each Gateway that a VirtualService names."""
    for _, _, ref in virtual_services.gateways(vs):
        gateway = mesh.get(ref)
        yield from mesh.gateway_pods(gateway)[:1] if gateway else ()


def _pods(mesh: Mesh, vs: Object, route: Mapping[str, Any]) -> Sequence[Workload]:
    """The workloads behind the destinations of a route, without those of its mirrors."""
    parts = [part["destination"]["host"] for part in route.get("route") or ()]
    services = [mesh.service(host, vs.namespace) for host in parts]
    return [pod for service in services if service for pod in mesh.workloads_of(service)]


class _Allowing:
    """The AuthorizationPolicies that allow requests, by the workloads that they select."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        config = mesh.config
        domains = [config.get("trustDomain"), *(config.get("trustDomainAliases") or ()), DEFAULT_TRUST_DOMAIN]
        self._domains = list(dict.fromkeys(filter(None, domains)))
        self._of: dict[Workload, list[Object]] = defaultdict(list)
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            if policy.spec.get("action", "ALLOW") == "ALLOW":
                for pod in mesh.selected_by(policy):
                    self._of[pod].append(policy)

    def may_allow(self, caller: Workload, pod: Workload) -> bool:
        """Whether a pod's policies allow a caller some request."""
        rules = [rule or {} for policy in self._of.get(pod, ()) for rule in policy.items("rules")]
        return pod not in self._of or any(self._includes(rule, caller) for rule in rules)

    def refused(self, callers: Sequence[Workload], pods: Sequence[Workload]) -> Iterator[tuple[str, Workload]]:
        """The accounts that the policies of some pod never allow, each with one such pod."""
        found = {
            f"the account {caller.namespace}/{caller.account}": pod
            for pod in pods
            for caller in callers
            if pod.proxy and not self.may_allow(caller, pod)
        }
        yield from found.items()

    def callers(self, pods: Sequence[Workload]) -> Sequence[Workload]:
        """The workloads that the policies of the pods allow; none if a pod has no policy."""
        if not pods or any(pod not in self._of for pod in pods):
            return []
        known = (one for one in self._mesh.workloads.all if one.proxy and one not in pods)
        return [one for one in known if any(self.may_allow(one, pod) for pod in pods)]

    def _includes(self, rule: Mapping[str, Any], caller: Workload) -> bool:
        names = [f"{domain}/{caller.identity}" for domain in self._domains]
        return not rule.get("from") or any(
            _fits(source, "principals", names) and _fits(source, "namespaces", [caller.namespace])
            for source in (one.get("source") or {} for one in rule["from"])
        )


def _fits(source: Mapping[str, Any], field: str, values: Sequence[str]) -> bool:
    """Whether a field of a source, if it is set, has one of the values."""
    return not source.get(field) or any(matches(pattern, value) for pattern in source[field] for value in values)


RULES: Final = (without_identity, denials, mirrors)
