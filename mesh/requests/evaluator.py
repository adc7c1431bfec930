"""The answer of a mesh to a request, at one hop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.mtls import STRICT, PeerAuthentications
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.requests import gateways
from mesh.requests.access import Arrival, Policies
from mesh.requests.routing import Chosen, Proxy, Routes
from mesh.requests.types import Fault, Outcome, Receiver, Request

RETRIES: Final = 2
"""How often Istio tries a failed request again where no route says so."""


class Evaluator:
    """Answers requests; the index of a mesh is read once."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._routes, self._peers, self._policies = Routes(mesh), PeerAuthentications(mesh), Policies(mesh)
        self._any = (mesh.config.get("outboundTrafficPolicy") or {}).get("mode", "ALLOW_ANY") == "ALLOW_ANY"
        self._rules: dict[str, list[Object]] = {}
        for rule in mesh.of(kinds.DESTINATION_RULE):
            self._rules.setdefault(mesh.full_host(rule.spec.get("host", ""), rule.namespace), []).append(rule)

    def from_outside(self, asked: Request, pod: Workload) -> Outcome:
        """What a gateway's pods do with a request that arrives at their Service."""
        found = gateways.listening(self.mesh, pod, asked)
        if not found.served:
            return Outcome(status=0, reason=found.reason)
        if found.redirected:
            return Outcome(status=301, reason="httpsRedirect", location=f"https://{asked.host}{asked.path}")
        if why := self._policies.refusal(pod, Arrival(request=asked, caller=None, mutual=False, port=found.target)):
            return Outcome(status=403, reason=why)
        names = tuple(f"{ref.namespace}/{ref.name}" for ref in found.served)
        proxy = Proxy(namespace=pod.namespace, labels=pod.labels, gateways=names)
        things = self._routes.at_gateways(asked.host.lower(), found.served)
        chosen = self._routes.choose(things, found.request, proxy)
        if chosen is None:
            return Outcome(status=404, reason="no route takes it" if things else "no VirtualService is for its host")
        return self._routed(chosen, asked, pod)

    def from_workload(self, asked: Request, pod: Workload) -> Outcome:
        """What becomes of a request that a workload sends."""
        host = self._named(asked.host.lower(), pod.namespace)
        service = self.mesh.services.find(host, pod.namespace)
        if not pod.proxy:
            if service is None:
                return Outcome(status=200, reason="goes to where DNS says, without a proxy", request=asked)
            receiver = self._receiver(service, "", 1.0, asked, asked.port, pod)
            return Outcome(receivers=(receiver,), request=asked)
        things = self._routes.in_sidecar(host, pod.namespace)
        chosen = self._routes.choose(things, asked, Proxy.beside(pod))
        if chosen:
            return self._routed(chosen, asked, pod)
        if things:
            return Outcome(status=404, reason=f"no route of {things[0].ref} takes it")
        if service is None:
            reason = "the mesh does not know the host"
            return Outcome(status=200 if self._any else 502, reason=reason, request=asked if self._any else None)
        receiver = self._receiver(service, "", 1.0, asked, asked.port, pod)
        return Outcome(receivers=(receiver,), attempts=RETRIES, request=asked)

    def _named(self, host: str, namespace: str) -> str:
        """The whole name of a host as a client in a namespace may write it: DNS completes the shorter ones."""
        name, _, rest = host.partition(".")
        whole = f"{name}.{rest.removesuffix('.svc') or namespace}.svc.{self.mesh.domain}"
        return whole if not rest or self.mesh.services.with_host(whole) else host

    def _routed(self, chosen: Chosen, asked: Request, pod: Workload) -> Outcome:
        route = chosen.route
        if route.get("redirect"):
            return _redirected(chosen, asked)
        sent = _rewritten(chosen, asked)
        receivers = [
            self._destination(said, share, chosen, sent, pod)
            for said, share in virtual_services.weighted_destinations(route)
            if share
        ]
        mirror = None
        if route.get("mirror"):
            mirror = self._destination(route["mirror"], virtual_services.mirror_share(route), chosen, sent, pod)
        return Outcome(
            rule=chosen.rule,
            receivers=tuple(receivers),
            faults=tuple(_faults(route.get("fault") or {})),
            mirror=mirror,
            timeout=route.get("timeout") or "",
            attempts=_attempts(route),
            request=sent,
        )

    def _destination(
        self, said: Mapping[str, Any], share: float, chosen: Chosen, sent: Request, pod: Workload
    ) -> Receiver:
        host, subset = self.mesh.full_host(said["host"], chosen.owner.namespace), said.get("subset") or ""
        service = self.mesh.services.find(host, chosen.owner.namespace)
        if service is None:
            reason = f"{said['host']} is not a service of the mesh"
            return Receiver(host=host, subset=subset, share=share, workloads=(), port=None, status=503, reason=reason)
        port = (said.get("port") or {}).get("number")
        if port is None and len(service.ports) == 1:
            port = service.ports[0].number
        return self._receiver(service, subset, share, sent, port or sent.port, pod)

    def _receiver(
        self, service: Service, subset: str, share: float, sent: Request, port: int, pod: Workload
    ) -> Receiver:
        rules = self._rules_for(service.host, pod.namespace, service.namespace)
        labels = next((s.get("labels") or {} for r in rules for s in r.items("subsets") if s["name"] == subset), None)
        pods = [p for p in self.mesh.workloads_of(service) if (labels or {}).items() <= p.labels.items()]
        found = service.port(port)
        target = found.target if found and isinstance(found.target, int) else port
        mutual = pod.proxy and bool(pods) and all(p.proxy for p in pods) and _own_tls(rules)
        reason, status = "", 200
        if found is None:
            reason, status = f"{service.host} has no port {port}", 503
        elif subset and labels is None:
            reason, status = f"{service.host} has no subset {subset}", 503
        elif service.selector is not None and not pods:
            reason, status = "no pod belongs to it", 503
        elif any(p.proxy and self._peers.mode(p, target) == STRICT for p in pods) and not mutual:
            reason, status = "it requires mutual TLS", 503 if pod.proxy else 0
        else:
            arrival = Arrival(request=sent, caller=pod, mutual=mutual, port=target)
            reason = next(filter(None, (self._policies.refusal(p, arrival) for p in pods)), "")
            status = 403 if reason else 200
        return Receiver(
            host=service.host,
            subset=subset,
            share=share,
            workloads=tuple(sorted(p.object.name for p in pods)),
            port=port,
            status=status,
            reason=reason,
            mutual=mutual,
        )

    def _rules_for(self, host: str, client: str, server: str) -> Sequence[Object]:
        """The DestinationRules that a client's proxy follows: of its own namespace, the service's, or the root."""
        seen = [
            rule
            for rule in hosts.most_specific(host, self._rules) or ()
            if hosts.is_visible(client, hosts.exported_to(rule.items("exportTo"), rule.namespace))
        ]
        for place in (client, server, self.mesh.root):
            if own := [rule for rule in seen if rule.namespace == place]:
                return own
        return seen


def _own_tls(rules: Sequence[Object]) -> bool:
    """Whether connections are over Istio's mutual TLS: unless a rule says otherwise."""
    said = next((r.spec["trafficPolicy"].get("tls") for r in rules if r.spec.get("trafficPolicy")), None)
    return said is None or said.get("mode") == "ISTIO_MUTUAL"


def _redirected(chosen: Chosen, asked: Request) -> Outcome:
    said = chosen.route["redirect"]
    host, path = said.get("authority") or asked.host, said.get("uri") or asked.path
    scheme = "https" if asked.secure else "http"
    return Outcome(
        status=said.get("redirectCode") or 301,
        reason="redirect",
        rule=chosen.rule,
        location=f"{scheme}://{host}{path}",
    )


def _rewritten(chosen: Chosen, asked: Request) -> Request:
    said = chosen.route.get("rewrite") or {}
    path = said.get("uri")
    if path and chosen.prefix:
        path += asked.path[len(chosen.prefix) :]
    return asked.changed(path, said.get("authority"))


def _attempts(route: Mapping[str, Any]) -> int:
    return (route["retries"].get("attempts") or 0) if route.get("retries") else RETRIES


def _faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    delay, abort = said.get("delay"), said.get("abort")
    if delay and delay.get("fixedDelay"):
        yield Fault(share=virtual_services.fault_share(delay), delay=delay["fixedDelay"])
    if abort and abort.get("httpStatus"):
        yield Fault(share=virtual_services.fault_share(abort), status=abort["httpStatus"])
