"""Evaluates the outcome of a request at one hop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.mtls import STRICT, PeerAuthentications
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.trusted_proxies import trusted
from mesh.analysis.workloads import Workload
from mesh.api import regex
from mesh.core import kinds
from mesh.requests import gateways
from mesh.requests.authorization import AuthorizationPolicies, InboundRequest
from mesh.requests.routing import MatchedRoute, Proxy, Routes
from mesh.requests.types import FORWARDED, Fault, Outcome, Receiver, Request

_USUAL: Final = (("http", 80), ("https", 443))
"""Scheme and default port: a redirect leaves these ports out."""
RETRIES: Final = 2
"""Istio's default number of retries."""


class Evaluator:
    """Evaluates requests against the index of a mesh, which it reads once."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._routes, self._peers, self._policies = Routes(mesh), PeerAuthentications(mesh), AuthorizationPolicies(mesh)
        self._allow_any = (mesh.config.get("outboundTrafficPolicy") or {}).get("mode", "ALLOW_ANY") == "ALLOW_ANY"
        self._rules: dict[str, list[Object]] = {}
        for rule in mesh.of(kinds.DESTINATION_RULE):
            self._rules.setdefault(mesh.full_host(rule.spec.get("host", ""), rule.namespace), []).append(rule)

    def from_outside(self, request: Request, pod: Workload) -> Outcome:
        """The outcome of a request from outside the cluster that arrives at the Service of a gateway's pods."""
        found = gateways.match_listeners(self.mesh, pod, request)
        if not found.served:
            return Outcome(status=0, reason=found.reason)
        peer = (
            "" if trusted(self.mesh, pod) else request.address
        )  # behind a load balancer, the peer is the load balancer
        inbound = InboundRequest(
            request=request, caller=None, mutual=False, port=found.target, peer=peer, connection=found.connection
        )
        if why := self._policies.refusal(pod, inbound):
            return Outcome(status=403, reason=why)
        by_https = request.header(FORWARDED) == "https" and trusted(self.mesh, pod)
        if found.redirected and not by_https:
            return Outcome(status=301, reason="httpsRedirect", location=f"https://{request.host}{request.path}")
        names = tuple(f"{ref.namespace}/{ref.name}" for ref in found.served)
        proxy = Proxy(namespace=pod.namespace, labels=pod.labels, gateways=names)
        candidates = self._routes.at_gateways(request.host.lower(), found.served)
        known = replace(found.request, forwarded_https=by_https)
        if pod not in self.mesh.proving_tokens:
            known = replace(known, principal="", claims={})
        chosen = self._routes.choose(candidates, known, proxy)
        if chosen is None:
            reason = "no route takes it" if candidates else "no VirtualService is for its host"
            status = 404 if not candidates or any(map(_routes_requests, candidates)) else 0
            return Outcome(status=status, reason=reason)
        return self._routed(chosen, replace(request, forwarded_https=by_https), pod)

    def from_workload(self, request: Request, pod: Workload) -> Outcome:
        """The outcome of a request that a workload sends."""
        host = self._full_host(request.host.lower(), pod.namespace)
        service = self.mesh.services.find(host, pod.namespace)
        if not pod.proxy:
            if service is None:
                return Outcome(status=200, reason="goes where DNS resolves it, without a proxy", request=request)
            receiver = self._receiver(service, "", 1.0, request, request.port, pod)
            return Outcome(receivers=(receiver,), request=request)
        candidates = self._routes.in_sidecar(host, pod.namespace)
        chosen = self._routes.choose(candidates, request, Proxy.sidecar(pod))
        if chosen:
            return self._routed(chosen, request, pod)
        if candidates and virtual_services.protocol(candidates[0]) != "tcp":
            status = 404 if _routes_requests(candidates[0]) else 0
            return Outcome(status=status, reason=f"no route of {candidates[0].ref} takes it")
        if service is None:
            reason = "the mesh does not know the host"
            if not self._allow_any:
                return Outcome(status=502, reason=reason)
            return Outcome(status=200, reason=reason, request=request)
        receiver = self._receiver(service, "", 1.0, request, request.port, pod)
        port = service.port(request.port)
        attempts = 0 if port and port.of_connections else RETRIES
        return Outcome(receivers=(receiver,), attempts=attempts, request=request)

    def _full_host(self, host: str, namespace: str) -> str:
        """The full name of a host, as DNS resolves what a client in a namespace writes: `cart`, `cart.shop`, …"""
        name, _, rest = host.partition(".")
        whole = f"{name}.{rest.removesuffix('.svc') or namespace}.svc.{self.mesh.domain}"
        return whole if not rest or self.mesh.services.with_host(whole) else host

    def _routed(self, chosen: MatchedRoute, request: Request, pod: Workload) -> Outcome:
        route = chosen.route
        if route.get("redirect"):
            return _redirected(chosen, request)
        name = route.get("name") or ""
        if answer := route.get("directResponse"):
            return Outcome(status=answer["status"], reason="directResponse", rule=chosen.rule, route=name)
        sent = _rewritten(chosen, request)
        receivers = [
            self._destination(destination, share, chosen, sent, pod)
            for destination, share in virtual_services.weighted_destinations(route)
            if share
        ]
        mirrors = [
            self._destination(destination, share, chosen, sent, pod)
            for _, destination, share in virtual_services.mirrors(route)
            if share
        ]
        return Outcome(
            rule=chosen.rule,
            route=name,
            receivers=tuple(receivers),
            faults=tuple(_faults(route.get("fault") or {})),
            mirrors=tuple(mirrors),
            timeout=route.get("timeout") or "",
            attempts=_attempts(route) if _routes_requests(chosen.owner) else 0,
            request=sent,
        )

    def _destination(
        self, destination: Mapping[str, Any], share: float, chosen: MatchedRoute, sent: Request, pod: Workload
    ) -> Receiver:
        host = self.mesh.full_host(destination["host"], chosen.owner.namespace)
        subset = destination.get("subset") or ""
        service = self.mesh.services.find(host, chosen.owner.namespace)
        if service is None:
            reason = f"{destination['host']} is not a service of the mesh"
            return Receiver(host=host, subset=subset, share=share, workloads=(), port=None, status=503, reason=reason)
        port = (destination.get("port") or {}).get("number")
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
        mutual = pod.proxy and bool(pods) and all(p.proxy for p in pods) and _uses_istio_tls(rules)
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
            peer = "" if pod.gateway else sent.address
            inbound = InboundRequest(
                request=sent,
                caller=pod,
                mutual=mutual,
                port=target,
                peer=peer,
                connection=found.of_connections,
            )
            reason = next(filter(None, (self._policies.refusal(p, inbound) for p in pods)), "")
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
        """The DestinationRules that a client's proxy applies: of its own namespace, else of the service's, else of the
        root namespace."""
        seen = [
            rule
            for rule in hosts.most_specific(host, self._rules) or ()
            if hosts.is_visible(client, hosts.exported_to(rule.items("exportTo"), rule.namespace))
        ]
        for namespace in (client, server, self.mesh.root):
            if own := [rule for rule in seen if rule.namespace == namespace]:
                return own
        return seen


def _routes_requests(virtual_service: Object) -> bool:
    """Whether a VirtualService routes requests, not only connections."""
    return virtual_services.protocol(virtual_service) == "http"


def _uses_istio_tls(rules: Sequence[Object]) -> bool:
    """Whether connections use Istio's mutual TLS: True unless a DestinationRule sets another mode."""
    tls = next((r.spec["trafficPolicy"].get("tls") for r in rules if r.spec.get("trafficPolicy")), None)
    return tls is None or tls.get("mode") == "ISTIO_MUTUAL"


def _redirected(chosen: MatchedRoute, request: Request) -> Outcome:
    redirect = chosen.route["redirect"]
    host, path = redirect.get("authority") or request.host, _with_query(redirect.get("uri"), request) or request.path
    scheme = redirect.get("scheme") or request.scheme
    port = request.port if redirect.get("derivePort") == "FROM_REQUEST_PORT" else redirect.get("port")
    listened = redirect.get("scheme") or (
        "https" if request.secure else "http"
    )  # pilot does not know about a load balancer
    if port and (listened, port) not in _USUAL:
        host = f"{host}:{port}"
    return Outcome(
        status=redirect.get("redirectCode") or 301,
        reason="redirect",
        rule=chosen.rule,
        route=chosen.route.get("name") or "",
        location=f"{scheme}://{host}{path}",
    )


def _rewritten(chosen: MatchedRoute, request: Request) -> Request:
    """The request as the destinations get it: with rewritten path and host, and with the route's headers."""
    rewrite = chosen.route.get("rewrite") or {}
    request = request.changed((chosen.route.get("headers") or {}).get("request") or {})
    path = rewrite.get("uri")
    if edit := rewrite.get("uriRegexRewrite"):
        path = _with_query(regex.replaced(edit["match"], edit["rewrite"], request.url_path), request)
    elif path and chosen.prefix:
        path += request.path[len(chosen.prefix) :]
    else:
        path = _with_query(path, request)
    return request.rewritten(path, rewrite.get("authority"))


def _with_query(path: str | None, request: Request) -> str | None:
    """The path that replaces the request's. The query of the request stays, unless the new path has one."""
    query = request.path.partition("?")[2]
    return f"{path}?{query}" if path and query and "?" not in path else path


def _attempts(route: Mapping[str, Any]) -> int:
    return (route["retries"].get("attempts") or 0) if route.get("retries") else RETRIES


def _faults(injection: Mapping[str, Any]) -> Iterator[Fault]:
    delay, abort = injection.get("delay"), injection.get("abort")
    if delay and delay.get("fixedDelay"):
        yield Fault(share=virtual_services.fault_share(delay), delay=delay["fixedDelay"])
    if abort and abort.get("httpStatus"):
        yield Fault(share=virtual_services.fault_share(abort), status=abort["httpStatus"])
