"""`mesh:traffic.services`: subsets, routes, load balancing, circuit breakers and TLS of services in the mesh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mesh import api
from mesh.analysis import codes, hosts
from mesh.analysis.suppression import ANNOTATION
from mesh.api.names import Label, Labels, SomeHost
from mesh.core import errors
from mesh.core.kubernetes import Name
from mesh.core.typed import Findings, Path
from mesh.traffic import connections
from mesh.traffic.context import StackContext
from mesh.traffic.endpoints import CircuitBreaker, SessionAffinity
from mesh.traffic.matching import Matches
from mesh.traffic.objects import ConfigObject
from mesh.traffic.rate_limits import Limit
from mesh.traffic.route_actions import RouteActions, Weights, check_weights, one_or_weights


def _by_label(value: Any) -> Any:
    """A list of versions means subsets that are selected by the label `version`."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: {"version": name} for name in value}
    return value


def _mode(value: Any) -> Any:
    return {"mode": value} if isinstance(value, str) else value


Route = Annotated[Weights, BeforeValidator(one_or_weights)]


class RouteRule(RouteActions):
    """A route for requests that match. It inherits the service's settings; a setting of its own replaces the service's,
    and null removes it."""

    match: Matches = Field(min_length=1)
    """One match or a list of matches, any of which must hold."""
    route: Route = {}
    """A version, or a map of versions to percentages that add up to 100; the service's `route` if not set."""

    def check(self) -> Findings:
        yield from super().check()
        if self.route:
            yield from check_weights(self.route, "route")


class Service(RouteActions):
    """A service of the mesh: how clients' sidecars route to it. Its rules inherit timeout, retries, fault and the like,
    unless they set their own."""

    namespace: Name | None = None
    """Namespace of the service and of its objects; if not set, that of the app that has it, Bookinfo's, or the only
    injected namespace."""
    host: SomeHost | None = None
    """Host of the service; the key of the entry if not set."""
    protocol: Literal["HTTP", "TCP", "TLS"] = "HTTP"
    """What sidecars route: requests; or, for a service without HTTP, connections: plain ones (`TCP`), or with TLS from
    end to end (`TLS`), distinguished by server name (SNI). The names of the Service's ports must state the same."""
    versions: Annotated[dict[Label, Labels], BeforeValidator(_by_label)] = {}
    """Versions, which become subsets: a list of values of the label `version`, or a map of names to pod labels."""
    route: Route = {}
    """A version, or a map of versions to percentages that add up to 100; if not set, requests go to all pods."""
    rules: list[RouteRule] = []
    """Routes for some requests, in order: the first that matches takes the request, otherwise `route` does."""
    circuitBreaker: CircuitBreaker | None = None
    """Limits of connections and requests, and ejection of failing endpoints; none if not set."""
    balancing: Literal["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH"] | None = None
    """Load-balancing policy; round robin if not set."""
    affinity: SessionAffinity | None = None
    """Session affinity by consistent hashing, instead of `balancing`; none if not set."""
    tls: Annotated[api.ClientTLSSettings | None, BeforeValidator(_mode)] = None
    """TLS of connections to the service: a mode such as `ISTIO_MUTUAL` or `DISABLE`, or a map with the fields of
    Istio's ClientTLSSettings; automatic if not set."""
    limit: Limit | None = None
    """Rate limit: of each pod, or with scope `global` of all pods together; none if not set."""
    workload: Labels = {}
    """Labels of the service's pods, only with `limit`; if not set, `app` with the name of the host."""

    def check(self) -> Findings:
        yield from super().check()
        yield from self._check_versions()
        yield from self._check_connections()
        if self.route:
            yield from check_weights(self.route, "route")
        if self.balancing and self.affinity:
            yield ("balancing",), "cannot be combined with affinity, which chooses the endpoints itself"
        if self.workload and not self.limit:
            yield ("workload",), "is for limit, which is not set"
        if not self.model_dump(exclude_defaults=True, exclude={"namespace", "host", "protocol", "workload"}):
            yield (), "has no settings; list at least its versions"

    def _check_connections(self) -> Findings:
        yield from connections.subnet_problems([rule.match for rule in self.rules], self.protocol)
        if self.protocol == "HTTP":
            return
        yield from connections.action_problems(self, self.protocol)
        for i, rule in enumerate(self.rules):
            for path, text in connections.action_problems(rule, self.protocol):
                yield ("rules", i, *path), text
            for j, match in enumerate(rule.match):
                for path, text in connections.match_problems(match, self.protocol):
                    yield ("rules", i, "match", j, *path), text
        if self.affinity and not self.affinity.sourceAddress:
            yield ("affinity",), f"must be sourceAddress with protocol {self.protocol}: the others apply to requests"
        if self.limit:
            yield ("limit",), f"counts requests, but with protocol {self.protocol} sidecars see only connections"

    def _check_versions(self) -> Findings:
        parts: list[tuple[Path, RouteRule | Service]] = [((), self)]
        parts += [(("rules", i), rule) for i, rule in enumerate(self.rules)]
        for path, handling in parts:
            meant: list[tuple[Path, str]] = [((*path, "route"), version) for version in handling.route]
            if handling.mirror and handling.mirror.version and not handling.mirror.service:
                meant.append(((*path, "mirror"), handling.mirror.version))
            for at, version in meant:
                if version not in self.versions:
                    yield at, f"{errors.not_one_of(version, self.versions)} (versions)"

    @property
    def needs_virtual_service(self) -> bool:
        """Whether the settings require a VirtualService."""
        return bool(self.route or self.rules or self.any_action)

    def host_name(self, name: str) -> str:
        """Host of the service; `name` is its key in the config."""
        return self.host or name

    def pod_labels(self, name: str) -> dict[str, str]:
        """Labels of the service's pods; `name` is its key in the config."""
        return self.workload or {"app": self.host_name(name).partition(".")[0]}


def objects(path: str, name: str, service: Service, stack: StackContext) -> Iterator[ConfigObject]:
    """The DestinationRule and the VirtualService, if the settings require them; both are called `name`. Raises
    ApiError if the namespace is not the stack's."""
    namespace, host = stack.home_of(name, service.namespace), service.host_name(name)
    policy = _policy(service, stack)
    if service.versions or policy:
        subsets = [api.Subset(name=version, labels=labels) for version, labels in service.versions.items()]
        rule = api.DestinationRule(host=host, trafficPolicy=policy, subsets=subsets or None)
        yield ConfigObject(path=path, body=rule, name=name, namespace=namespace, keys=_rule_keys(service))
    if service.needs_virtual_service:
        body = _virtual_service(host, namespace, service, stack)
        yield ConfigObject(
            path=path,
            body=body,
            name=name,
            namespace=namespace,
            annotations=_suppressed(host, namespace, service, stack),
            keys=_route_keys(service),
            late=True,
        )


def _suppressed(host: str, namespace: str, service: Service, stack: StackContext) -> Mapping[str, str]:
    """The annotation that suppresses IST0112, here and in istioctl, for a service with several ports: requests keep
    their original port, since sidecars use it for destinations without a port."""
    own = all(not handling.mirror or not handling.mirror.service for handling in (service, *service.rules))
    quiet = own and stack.full_host(host, namespace) in stack.several_ports
    return {ANNOTATION: codes.PORT_NEEDED.code} if quiet else {}


def _virtual_service(host: str, namespace: str, service: Service, stack: StackContext) -> api.VirtualService:
    if service.protocol == "HTTP":
        routes = [*(_route(host, rule, service) for rule in service.rules), _route(host, service, service)]
        return api.VirtualService(hosts=[host], http=routes)
    rules = [(rule.match, rule.route or service.route) for rule in service.rules]
    names = hosts.names(stack.full_host(host, namespace), namespace)
    return connections.routes(rules, service.route, host, names, service.protocol)


def _rule_keys(service: Service) -> dict[str, str]:
    breaker = {f"trafficPolicy.{part}": f"circuitBreaker.{part}" for part in CircuitBreaker.model_fields}
    policy = {
        **breaker,
        "trafficPolicy.loadBalancer": "affinity" if service.affinity else "balancing",
        "trafficPolicy.tls": "tls" if service.tls else "",
    }
    return {f"subsets[{i}]": f"versions.{name}" for i, name in enumerate(service.versions)} | policy


def _route_keys(service: Service) -> dict[str, str]:
    """The key of each part of the VirtualService. Parts that a rule inherits have the service's keys."""
    wider, protocol = service.field_keys(), service.protocol.lower()
    found = {f"{protocol}[{len(service.rules)}].{part}": key for part, key in wider.items()}
    for i, rule in enumerate(service.rules):
        own = {part: f"rules[{i}].{key}" for part, key in rule.field_keys().items()}
        found |= {f"{protocol}[{i}].{part}": key for part, key in (wider | own).items()}
        found |= {f"{protocol}[{i}]": f"rules[{i}]"}
    return found


def _policy(service: Service, stack: StackContext) -> api.TrafficPolicy | None:
    breaker, balancing = service.circuitBreaker or CircuitBreaker.model_construct(), None
    if service.balancing or service.affinity:
        hashing = service.affinity.consistent_hash() if service.affinity else None
        balancing = api.LoadBalancerSettings(simple=service.balancing, consistentHash=hashing)
    tls = service.tls or (api.ClientTLSSettings(mode="ISTIO_MUTUAL") if stack.client_tls else None)
    settings = (balancing, breaker.connectionPool, breaker.outlierDetection, tls)
    if not any(settings):
        return None
    return api.TrafficPolicy(
        loadBalancer=balancing,
        connectionPool=breaker.connectionPool,
        outlierDetection=breaker.outlierDetection,
        tls=tls,
    )


def _route(host: str, part: RouteRule | Service, service: Service) -> api.HTTPRoute:
    def receiver(other: str | None, version: str | None) -> api.Destination:
        return api.Destination(host=other or host, subset=version)

    handling = part.inherit(service) if isinstance(part, RouteRule) else part
    matches = part.match if isinstance(part, RouteRule) else []
    return api.HTTPRoute(
        match=[match.http_match() for match in matches] or None,
        route=list(_shares(host, part.route or service.route)),
        **handling.route_fields(receiver),
    )


def _shares(host: str, weights: Weights) -> Iterable[api.HTTPRouteDestination]:
    if not weights:
        yield api.HTTPRouteDestination(destination=api.Destination(host=host))
    for version, weight in weights.items():
        destination = api.Destination(host=host, subset=version)
        yield api.HTTPRouteDestination(destination=destination, weight=weight if len(weights) > 1 else None)
