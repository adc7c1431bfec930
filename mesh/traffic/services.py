"""Services: their versions, how callers in the mesh reach them, and what protects them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mesh import api
from mesh.api.names import HeaderName, Label, Labels, SomeHost
from mesh.api.scalars import AnyDuration
from mesh.api.scalars import Text as NotEmpty
from mesh.core import errors
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings, Path
from mesh.traffic.context import StackContext
from mesh.traffic.handling import Handling, Weights, one_or_weights, whole
from mesh.traffic.limits import Limit
from mesh.traffic.matching import Matches
from mesh.traffic.objects import ConfigObject


def _by_label(value: Any) -> Any:
    """A list of versions is told by the label `version`."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: {"version": name} for name in value}
    return value


def _mode(value: Any) -> Any:
    return {"mode": value} if isinstance(value, str) else value


Route = Annotated[Weights, BeforeValidator(one_or_weights)]


class CircuitBreaker(Documented):
    """What keeps a service from being overrun, and callers from endpoints that fail, in Istio's words."""

    connectionPool: api.ConnectionPoolSettings | None = None
    """Limits of connections and requests."""
    outlierDetection: api.OutlierDetection | None = None
    """When an endpoint that fails gets no requests for a while."""

    def check(self) -> Findings:
        if not self.connectionPool and not self.outlierDetection:
            yield (), "needs connectionPool, outlierDetection or both"


class Stickiness(Documented):
    """By what requests are alike that go to the same endpoint: exactly one field, and `ttl` with `cookie`."""

    cookie: NotEmpty | None = None
    """A cookie, which the proxy makes if it is missing."""
    ttl: AnyDuration = "0s"
    """How long that cookie lives; `0s`: until the browser is closed."""
    header: HeaderName | None = None
    """A header."""
    queryParam: NotEmpty | None = None
    """A parameter of the query."""
    sourceAddress: bool = False
    """The caller's address."""

    def check(self) -> Findings:
        if sum(map(bool, (self.cookie, self.header, self.queryParam, self.sourceAddress))) != 1:
            yield (), "needs exactly one of cookie, header, queryParam, sourceAddress"
        if "ttl" in self.model_fields_set and not self.cookie:
            yield ("ttl",), "is for a cookie"

    def hashing(self) -> api.ConsistentHashLB:
        """As Istio has it."""
        return api.ConsistentHashLB(
            httpCookie=api.HTTPCookie(name=self.cookie, ttl=self.ttl) if self.cookie else None,
            httpHeaderName=self.header,
            httpQueryParameterName=self.queryParam,
            useSourceIp=self.sourceAddress or None,
        )


class Rule(Handling):
    """What holds for some requests in place of what holds for the rest; null takes away what the service says."""

    match: Matches = Field(min_length=1)
    """Conditions; of several, any may hold."""
    route: Route = {}
    """A version, or a percentage for each of some; as the service's if not set."""

    def check(self) -> Findings:
        yield from super().check()
        if self.route:
            yield from whole(self.route, "route")


class Service(Handling):
    """A service, as callers in the mesh reach it. What is done with its requests holds for its rules, too, unless
    they say otherwise."""

    namespace: Name | None = None
    """Its namespace, where the objects go; Bookinfo's, or the only injected one if not set."""
    host: SomeHost | None = None
    """Its host, if that is not the name under which it is listed here."""
    versions: Annotated[dict[Label, Labels], BeforeValidator(_by_label)] = {}
    """Its versions: a list, told by the label `version`, or a map of their names to labels."""
    route: Route = {}
    """A version, or a percentage for each of some, adding up to 100; any version if not set."""
    rules: list[Rule] = []
    """What holds for some requests: the first that matches is taken, and else `route`."""
    circuitBreaker: CircuitBreaker | None = None
    """Limits, and when failing endpoints are left out."""
    balancing: Literal["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH"] | None = None
    """How endpoints are chosen; in turn if not set."""
    affinity: Stickiness | None = None
    """Which requests go to the same endpoint."""
    tls: Annotated[api.ClientTLSSettings | None, BeforeValidator(_mode)] = None
    """TLS of callers: a mode such as `ISTIO_MUTUAL` or `DISABLE`, or a map in Istio's words."""
    limit: Limit | None = None
    """How many requests each of its pods takes, or with scope `global` all of them."""
    workload: Labels = {}
    """Labels of its pods, for `limit`; `app` with the service's name if not set."""

    def check(self) -> Findings:
        yield from super().check()
        yield from self._check_versions()
        if self.route:
            yield from whole(self.route, "route")
        if self.balancing and self.affinity:
            yield ("balancing",), "cannot stand beside affinity, which says how endpoints are chosen"
        if self.workload and not self.limit:
            yield ("workload",), "is for limit, which is not set"
        if not self.model_dump(exclude_defaults=True, exclude={"namespace", "host", "workload"}):
            yield (), "says nothing; name at least its versions"

    def _check_versions(self) -> Findings:
        parts: list[tuple[Path, Rule | Service]] = [((), self)]
        parts += [(("rules", i), rule) for i, rule in enumerate(self.rules)]
        for path, handling in parts:
            meant: list[tuple[Path, str]] = [((*path, "route"), version) for version in handling.route]
            if handling.mirror and handling.mirror.version and not handling.mirror.service:
                meant.append(((*path, "mirror"), handling.mirror.version))
            for at, version in meant:
                if version not in self.versions:
                    yield at, f"{errors.not_one_of(version, self.versions)} (versions)"

    @property
    def routed(self) -> bool:
        """Whether anything is said that takes a VirtualService."""
        return bool(self.route or self.rules or self.acts)

    def called(self, name: str) -> str:
        """Its host, where `name` is the one under which it is listed."""
        return self.host or name

    def pods(self, name: str) -> dict[str, str]:
        """Labels of its pods, where `name` is the one under which it is listed."""
        return self.workload or {"app": self.called(name).partition(".")[0]}


def objects(path: str, name: str, service: Service, stack: StackContext) -> Iterator[ConfigObject]:
    """DestinationRule and VirtualService, both called `name`. Raises ApiError."""
    namespace, host = stack.namespace_for(service.namespace), service.called(name)
    policy = _policy(service, stack)
    if service.versions or policy:
        subsets = [api.Subset(name=version, labels=labels) for version, labels in service.versions.items()]
        rule = api.DestinationRule(host=host, trafficPolicy=policy, subsets=subsets or None)
        yield ConfigObject(path=path, body=rule, name=name, namespace=namespace, keys=_rule_keys(service))
    if service.routed:
        routes = [*(_route(host, rule, service) for rule in service.rules), _route(host, service, service)]
        body = api.VirtualService(hosts=[host], http=routes)
        yield ConfigObject(path=path, body=body, name=name, namespace=namespace, keys=_route_keys(service), late=True)


def _rule_keys(service: Service) -> dict[str, str]:
    breaker = {f"trafficPolicy.{part}": f"circuitBreaker.{part}" for part in CircuitBreaker.model_fields}
    policy = {
        **breaker,
        "trafficPolicy.loadBalancer": "affinity" if service.affinity else "balancing",
        "trafficPolicy.tls": "tls" if service.tls else "",
    }
    return {f"subsets[{i}]": f"versions.{name}" for i, name in enumerate(service.versions)} | policy


def _route_keys(service: Service) -> dict[str, str]:
    """A rule has what the service says, where it says nothing of its own."""
    wider = service.sources()
    found = {f"http[{len(service.rules)}].{part}": key for part, key in wider.items()}
    for i, rule in enumerate(service.rules):
        own = {part: f"rules[{i}].{key}" for part, key in rule.sources().items()}
        found |= {f"http[{i}].{part}": key for part, key in (wider | own).items()} | {f"http[{i}]": f"rules[{i}]"}
    return found


def _policy(service: Service, stack: StackContext) -> api.TrafficPolicy | None:
    breaker, balancing = service.circuitBreaker or CircuitBreaker.model_construct(), None
    if service.balancing or service.affinity:
        hashing = service.affinity.hashing() if service.affinity else None
        balancing = api.LoadBalancerSettings(simple=service.balancing, consistentHash=hashing)
    tls = service.tls or (api.ClientTLSSettings(mode="ISTIO_MUTUAL") if stack.client_tls else None)
    said = (balancing, breaker.connectionPool, breaker.outlierDetection, tls)
    if not any(said):
        return None
    return api.TrafficPolicy(
        loadBalancer=balancing,
        connectionPool=breaker.connectionPool,
        outlierDetection=breaker.outlierDetection,
        tls=tls,
    )


def _route(host: str, part: Rule | Service, service: Service) -> api.HTTPRoute:
    def receiver(other: str | None, version: str | None) -> api.Destination:
        return api.Destination(host=other or host, subset=version)

    handling = part.over(service) if isinstance(part, Rule) else part
    matches = part.match if isinstance(part, Rule) else []
    return api.HTTPRoute(
        match=[match.request() for match in matches] or None,
        route=list(_shares(host, part.route or service.route)),
        **handling.fields(receiver),
    )


def _shares(host: str, weights: Weights) -> Iterable[api.HTTPRouteDestination]:
    if not weights:
        yield api.HTTPRouteDestination(destination=api.Destination(host=host))
    for version, weight in weights.items():
        destination = api.Destination(host=host, subset=version)
        yield api.HTTPRouteDestination(destination=destination, weight=weight if len(weights) > 1 else None)
