"""The remedies that messages advise, each with a mesh that gets the message, and the same after the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.faults import FAULTS, cart_rule, patch, sidecar
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to

_BASE: Final = {"profile": "demo", "injectedNamespaces": {"default": "existing"}}


@dataclass(frozen=True)
class Remedy:
    """A remedy of the config of a stack, or of objects that users write themselves."""

    says: str
    """The part of the message that advises it."""
    before: Mapping[str, Any] | Sequence[Manifest]
    """The config, or the objects beside those of the valid mesh."""
    after: Mapping[str, Any] | Sequence[Manifest]


def by_hand(says: str, fault: str, *after: Manifest) -> Remedy:
    """A remedy of the objects of one of the faulty meshes."""
    (found,) = [one for one in FAULTS if one.name == fault]
    return Remedy(says, found.objects, after)


OF_STACKS: Final = tuple(
    Remedy(entry["says"], _BASE | entry["before"], _BASE | entry["after"])
    for entry in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
)


def _exported(*places: str) -> Manifest:
    ports = [{"number": 443, "name": "tls", "protocol": "TLS"}]
    spec = {"hosts": ["bank.example.com"], "ports": ports, "resolution": "DNS", "exportTo": list(places)}
    return manifest_of("ServiceEntry", "bank", spec, namespace="istio-system")


def _denied(**operation: Any) -> list[Manifest]:
    return [manifest_of("AuthorizationPolicy", "x", {"action": "DENY", "rules": [{"to": [{"operation": operation}]}]})]


def _allowed(**operation: Any) -> list[Manifest]:
    return [manifest_of("AuthorizationPolicy", "x", {"rules": [{"to": [{"operation": operation}]}]})]


def _grafana(**env: str) -> list[Manifest]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    container = {"name": "grafana", "image": "grafana", "env": variables}
    return [deployment("grafana", {"app": "grafana"}, containers=[container])]


_AT_GATEWAY: Final = {"hosts": ["shop.example.com"], "gateways": ["way-in"]}
_DATABASE: Final = (
    manifest_of("Namespace", "plain", labels={"istio-injection": "disabled"}),
    deployment("db", {"app": "db"}, "plain"),
    service("db", namespace="plain"),
)


def _entry(address: str, resolution: str) -> list[Manifest]:
    ports = [{"number": 80, "name": "http", "protocol": "HTTP"}]
    spec = {"hosts": ["a.example.com"], "ports": ports, "resolution": resolution, "endpoints": [{"address": address}]}
    return [manifest_of("ServiceEntry", "a", spec)]


def _front(**route: Any) -> list[Manifest]:
    return [routes("front", to("front", **route))]


def _delegating(**uri: str) -> list[Manifest]:
    shop = {"match": [{"uri": uri}], "delegate": {"name": "part"}}
    part = manifest_of("VirtualService", "part", {"http": [to("front")]})
    return [routes("visitors", shop, **_AT_GATEWAY), part]


def _called(name: str) -> list[Manifest]:
    return [routes("visitors", to("front"), hosts=["shop.example.com"], gateways=[name])]


def _everywhere(**spec: Any) -> list[Manifest]:
    return [gateway("way-in", server(80, ["*"])), routes("visitors", to("front"), hosts=["*"], **spec)]


def _filter(**match: Any) -> list[Manifest]:
    value = {"name": "filter", "typed_config": {"@type": "type.googleapis.com/envoy.config.core.v3.Node"}}
    patched = {"applyTo": "CLUSTER", "match": match, "patch": {"operation": "MERGE", "value": value}}
    return [manifest_of("EnvoyFilter", "filter", {"configPatches": [patched]})]


_OLD_DELAY: Final = {"delay": {"exponentialDelay": "1s", "percentage": {"value": 5}}}
_NEW_DELAY: Final = {"delay": {"fixedDelay": "1s", "percentage": {"value": 5}}}
BY_HAND: Final = (
    Remedy("use cluster", _filter(listener={}), _filter(cluster={})),
    Remedy("use fixedDelay", _front(fault=_OLD_DELAY), _front(fault=_NEW_DELAY)),
    Remedy(
        "use httpStatus", _front(fault={"abort": {"grpcStatus": "a"}}), _front(fault={"abort": {"httpStatus": 503}})
    ),
    Remedy("use exact or prefix", _delegating(regex="/a.*"), _delegating(prefix="/a")),
    Remedy(
        "leave the condition empty to ask for presence",
        _front(match=[{"headers": {"a": {"prefix": ""}}}]),
        _front(match=[{"headers": {"a": {}}}]),
    ),
    Remedy("use resolution STATIC", _entry("unix:///a", "DNS"), _entry("unix:///a", "STATIC")),
    Remedy("use resolution DNS for names", _entry("b.example.com", "STATIC"), _entry("b.example.com", "DNS")),
    Remedy(
        "write unix:///path/to/it or unix://@name", _entry("unix://a", "STATIC"), _entry("unix:///path/to/it", "STATIC")
    ),
    Remedy('write "name", "namespace/name" or "mesh"', _called("a/b/c"), _called("shop/way-in")),
    Remedy("name them, and not mesh, in gateways", _everywhere(), _everywhere(gateways=["way-in"])),
    by_hand(
        "change exportTo of ServiceEntry istio-system/bank",
        "route to a host that is not exported",
        routes("front", to("bank.example.com")),
        _exported("*"),
    ),
    by_hand(
        "use percentage: {value: …}",
        "deprecated field percent of a delay",
        routes("front", to("front", fault={"delay": {"fixedDelay": "1s", "percentage": {"value": 5}}})),
    ),
    by_hand(
        "use mirrorPercentage: {value: …}",
        "deprecated field mirrorPercent",
        routes("front", to("front", mirror={"host": "cart"}, mirrorPercentage={"value": 5})),
    ),
    by_hand(
        "write it as shop/way-in",
        "gateway in the deprecated form of a host name",
        routes("visitors", to("front"), hosts=["shop.example.com"], gateways=["shop/way-in"]),
    ),
    by_hand("join them into one", "two VirtualServices for one host in sidecars"),
    by_hand(
        "name a subset here",
        "gateway route that bypasses the routes of sidecars",
        routes("visitors", to("cart", "v1"), **_AT_GATEWAY),
    ),
    by_hand("change its selector", "selector that no pod has", gateway("way-in", server(80, ["shop.example.com"]))),
    by_hand(
        "join them, or change the hosts", "two Gateways for one host", gateway("other", server(80, ["b.example.com"]))
    ),
    by_hand(
        "join them, or the younger one's trafficPolicy does nothing",
        "two rules for one host",
        cart_rule(trafficPolicy={"loadBalancer": {"simple": "RANDOM"}}),
    ),
    by_hand(
        "use consecutiveGatewayErrors or consecutive5xxErrors",
        "deprecated field consecutiveErrors",
        cart_rule(trafficPolicy={"outlierDetection": {"consecutive5xxErrors": 5}}),
    ),
    by_hand(
        "use two numbers",
        "one port, two protocols",
        service("dns", [{"name": "udp-x", "port": 81, "targetPort": 9, "protocol": "UDP"}], selector={"app": "front"}),
    ),
    by_hand(
        "give it one number",
        "one port, two numbers",
        service("front-too", [{"name": "http", "port": 80, "targetPort": 8080}], selector={"app": "front"}),
    ),
    by_hand(
        "use another number",
        "workload with the proxy's user id",
        deployment("front", {"app": "front"}, serviceAccountName="front", securityContext={"runAsUser": 1000}),
    ),
    by_hand(
        "label it istio-injection=enabled, or =disabled if that is meant",
        "namespace without label",
        manifest_of("Namespace", "other", labels={"istio-injection": "disabled"}),
    ),
    by_hand(
        "leave one of them out",
        "namespace with two labels",
        manifest_of("Namespace", "other", labels={"istio-injection": "enabled"}),
    ),
    by_hand("is also for all of namespace shop: join them", "two Sidecars for a whole namespace", sidecar("a")),
    by_hand("leave it out if that is meant", "Sidecar with an empty selector", sidecar("a")),
    by_hand(
        "inject them, or use PERMISSIVE",
        "strict mutual TLS for a workload without sidecar",
        deployment("batch", {"app": "batch"}),
    ),
    by_hand(
        "use mode ISTIO_MUTUAL",
        "plain text to a workload with strict mutual TLS",
        cart_rule(trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}}),
    ),
    by_hand(
        "use mode DISABLE, or inject them",
        "mutual TLS to a workload without sidecar",
        *_DATABASE,
        manifest_of(
            "DestinationRule", "db", {"host": "db", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}, namespace="plain"
        ),
    ),
    by_hand("only the older one holds: join them", "two PeerAuthentications for one namespace"),
    by_hand("use INSERT_FIRST or ADD", "relative patch", patch("INSERT_FIRST")),
    by_hand("use MERGE or INSERT_FIRST", "patch that adds a route", patch("MERGE", "HTTP_ROUTE")),
    Remedy("allow requests by their paths instead", _denied(paths=["/admin"]), _allowed(paths=["/shop"])),
    Remedy(
        "allow requests by their hosts instead",
        _denied(hosts=["admin.example.com", "admin.example.com:*"]),
        _allowed(hosts=["shop.example.com", "shop.example.com:*"]),
    ),
    Remedy(
        "with a port: add shop.example.com:*",
        _allowed(hosts=["shop.example.com"]),
        _allowed(hosts=["shop.example.com", "shop.example.com:*"]),
    ),
    Remedy(
        "have people log in", _grafana(GF_AUTH_ANONYMOUS_ENABLED="true"), _grafana(GF_AUTH_ANONYMOUS_ENABLED="false")
    ),
)
