"""Finds requests that are let in only before or only after a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.analysis import authorization_policies, hosts
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules.authorization import matches
from mesh.requests import rules
from mesh.requests.comparison import NO_SUCH_WORKLOAD, Answer
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome
from mesh.review.subject import Subject

_FORBIDDEN = 403


@dataclass(frozen=True)
class Turned:
    """A request that is let in on only one side of a change."""

    sample: Sample
    was: Answer
    now: Answer

    @property
    def text(self) -> str:
        """The request with both answers, in words."""
        return f"{self.sample}: {self.was.text} → {self.now.text}"

    def concerns(self, policy: Object, mesh: Mesh) -> bool:
        """Whether a policy applies to a pod that the request reaches, or to the gateway through which it comes."""
        names = {
            (receiver.host.split(".")[1] if "." in receiver.host else "", name)
            for outcome in (self.was.outcome, self.now.outcome)
            for receiver in (outcome.receivers if outcome else ())
            for name in receiver.workloads
        }
        if self.sample.outside:
            place, _, name = self.sample.source.partition("/")
            names.add((place, name))
        return any((pod.namespace, pod.object.name) in names for pod in mesh.selected_by(policy))


def is_let_in(outcome: Outcome | None) -> bool:
    """Whether some of the requests reach a pod, or leave the mesh."""
    if outcome is None:
        return False
    if outcome.receivers:
        return any(receiver.status == 200 for receiver in outcome.receivers)
    return outcome.status == 200


def is_forbidden(outcome: Outcome | None) -> bool:
    """Whether an AuthorizationPolicy refuses all of the requests, or a part of them."""
    if outcome is None:
        return False
    return outcome.status == _FORBIDDEN or any(receiver.status == _FORBIDDEN for receiver in outcome.receivers)


def opened(subject: Subject) -> Sequence[Turned]:
    """The requests that are let in only after the change; none if the stack is new. A new workload has no answers from
    before."""
    return [one for one in _asked(subject) if is_let_in(one.now.outcome) and not is_let_in(one.was.outcome)]


def closed(subject: Subject) -> Sequence[Turned]:
    """The requests that are let in only before the change."""
    return [one for one in _asked(subject) if is_let_in(one.was.outcome) and not is_let_in(one.now.outcome)]


def _asked(subject: Subject) -> Iterator[Turned]:
    """The requests that both meshes answer, and all requests through gateways, even if their pods are new."""
    for sample, was, now in [] if subject.is_new else subject.requests.answers:
        if sample.outside or NO_SUCH_WORKLOAD not in (was.text, now.text):
            yield Turned(sample, was, now)


def serves(gateway: Object, sample: Sample) -> bool:
    """Whether a server of a Gateway is for the host and port of a request from outside."""
    return sample.outside and any(
        server["port"]["number"] == sample.port and hosts.overlap(host.rpartition("/")[2], sample.host)
        for server in gateway.items("servers")
        for host in server.get("hosts") or ()
    )


def routes(virtual_service: Object, sample: Sample) -> bool:
    """Whether a VirtualService is for the host of a request from outside."""
    return sample.outside and any(hosts.overlap(host, sample.host) for host in virtual_service.items("hosts"))


def is_evaluated(policy: Object, mesh: Mesh) -> bool:
    """Whether samples show all effects of an AuthorizationPolicy: it applies to pods with a sidecar, the callers that
    it names are workloads of the mesh, and its conditions are evaluated."""
    if policy.spec.get("action") == "CUSTOM" or any(rules.unknown_keys(policy)):
        return False
    if not any(pod.proxy for pod in mesh.selected_by(policy)):
        return False
    return all(_is_known(field, pattern, mesh) for field, pattern in authorization_policies.callers(policy))


def _is_known(field: str, pattern: str, mesh: Mesh) -> bool:
    """Whether a workload of the mesh has such a principal, in any trust domain, or is in such a namespace."""
    if field == "namespaces":
        return any(matches(pattern, pod.namespace) for pod in mesh.workloads.all)
    account = pattern.partition("/")[2]
    return "*" in pattern or any(pod.identity == account for pod in mesh.workloads.all)
