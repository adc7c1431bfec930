"""The remedies that messages advise, each with a mesh that gets the message, and the same after the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.faults import FAULTS, cart_rule, patch, sidecar
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to


@dataclass(frozen=True)
class Remedy:
    """A remedy of the config of a stack, or of objects that users write themselves."""

    says: str
    """The part of the message that advises it."""
    before: Mapping[str, Any] | Sequence[Manifest]
    """The config, or the objects beside those of the valid mesh."""
    after: Mapping[str, Any] | Sequence[Manifest]


def _config(text: str) -> dict[str, Any]:
    base = {"profile": "demo", "injectedNamespaces": {"default": "existing"}}
    return {**base, **(yaml.safe_load(text) or {})}


def stack(says: str, before: str, after: str) -> Remedy:
    """A remedy of a stack's config, written as YAML."""
    return Remedy(says, _config(before), _config(after))


def by_hand(says: str, fault: str, *after: Manifest) -> Remedy:
    """A remedy of the objects of one of the faulty meshes."""
    (found,) = [one for one in FAULTS if one.name == fault]
    return Remedy(says, found.objects, after)


EGRESS = "traffic: {egress: {"
PASSED = "passed: {hosts: [api.example.com], gateway: istio-egressgateway}"
ORIGINATED = "originated: {hosts: [api.example.com], protocol: HTTP, originateTls: true}"
AGAIN = "again: {hosts: [api.example.com], protocol: HTTP, originateTls: true, port: 8080}"
REVIEWS = "{bookinfo: true, traffic: {services: {reviews: {versions: [v1, v2, v3]"

OF_STACKS: Final = (
    # settings
    stack(
        "set both",
        "meshConfig: {defaultConfig: {drainDuration: 60s}}",
        "meshConfig: {defaultConfig: {drainDuration: 60s, parentShutdownDuration: 90s}}",
    ),
    stack(
        "set both",
        "meshConfig: {defaultConfig: {parentShutdownDuration: 40s}}",
        "meshConfig: {defaultConfig: {drainDuration: 30s, parentShutdownDuration: 40s}}",
    ),
    stack(
        "it belongs at mesh:meshConfig.defaultConfig.tracing.sampling",
        "meshConfig: {sampling: 5}",
        "meshConfig: {defaultConfig: {tracing: {sampling: 5}}}",
    ),
    stack("put it in quotes", "meshConfig: {trustDomain: 1.5}", 'meshConfig: {trustDomain: "1.5"}'),
    stack("YAML reads it as the number 1.1: put it in quotes", "release: 1.1", 'release: "1.10"'),
    stack("use a tag of 1.10, such as 1.10.3", 'tag: "1.9.5"', 'tag: "1.10.3"'),
    stack("put them into images", f'tag: "1.10.3@sha256:{"0" * 64}"', f'images: {{pilot: "sha256:{"0" * 64}"}}'),
    stack(
        "choose NodePort or LoadBalancer",
        "{gatewayServiceType: ClusterIP, ingressNodePorts: {http2: 31000}}",
        "{gatewayServiceType: NodePort, ingressNodePorts: {http2: 31000}}",
    ),
    stack(
        "choose NodePort or LoadBalancer",
        "gateways: {out: {kind: egress, ports: [{name: http, port: 80, nodePort: 31000}]}}",
        "gateways: {out: {kind: egress, type: NodePort, ports: [{name: http, port: 80, nodePort: 31000}]}}",
    ),
    stack(
        'write it like "15d" or "12h"',
        "addons: {prometheus: {retention: long}}",
        "addons: {prometheus: {retention: 15d}}",
    ),
    # consistency
    stack(
        "add prometheus to mesh:addons",
        "addons: {kiali: true, insecureDemo: true}",
        "addons: {kiali: true, prometheus: true, insecureDemo: true}",
    ),
    stack(
        "add `shop: existing` or `: create`",
        "bookinfo: {namespace: shop}",
        "{bookinfo: {namespace: shop}, injectedNamespaces: {shop: existing}}",
    ),
    stack("leave one of them out", "namespaces: {default: existing}", ""),
    stack(
        "set mesh:bookinfo.gateway to false, or choose another host",
        "{bookinfo: true, traffic: {hosts: {all: {hosts: ['*'], routes: [{to: productpage}]}}}}",
        "{bookinfo: {gateway: false}, traffic: {hosts: {all: {hosts: ['*'], routes: [{to: productpage}]}}}}",
    ),
    stack(
        "set mesh:bookinfo.gateway to false, or choose another name",
        "{bookinfo: true, traffic: {hosts: {bookinfo: {hosts: [b.example.com], routes: [{to: productpage}]}}}}",
        "{bookinfo: true, traffic: {hosts: {page: {hosts: [b.example.com], routes: [{to: productpage}]}}}}",
    ),
    stack(
        "declare it in mesh:namespaces",
        EGRESS + "bank: {hosts: [bank.example.com], namespace: shop}}}",
        "{namespaces: {shop: existing}, " + EGRESS + "bank: {hosts: [bank.example.com], namespace: shop}}}}",
    ),
    stack(
        "list each host, or remove gateway and originateTls",
        EGRESS + "bank: {hosts: ['*.example.com'], gateway: istio-egressgateway}}}",
        EGRESS + "bank: {hosts: ['*.example.com']}}}",
    ),
    stack(
        "write a regex",
        REVIEWS + ", rules: [{match: {queryParams: {a: b*}}, route: v1}]}}}}",
        REVIEWS + ", rules: [{match: {queryParams: {a: {regex: b.*}}}, route: v1}]}}}}",
    ),
    stack(
        "rename one of them",
        EGRESS
        + "a: {hosts: [a.example.com], gateway: istio-egressgateway}, a-egress: {hosts: [b.example.com], protocol: HTTP, originateTls: true}}}",
        EGRESS
        + "a: {hosts: [a.example.com], gateway: istio-egressgateway}, b: {hosts: [b.example.com], protocol: HTTP, originateTls: true}}}",
    ),
    stack("list at least its versions", "traffic: {services: {reviews: {}}}", REVIEWS + "}}}}"),
    stack(
        "write name, or namespace/name",
        "security: {authorization: {allow: {a: {workload: {app: reviews}, accounts: [a/b/c]}}}}",
        "{bookinfo: true, security: {authorization: {allow: {a: {workload: {app: reviews}, accounts: [default/bookinfo-productpage]}}}}}",
    ),
    # analysis
    stack(
        "leave it out of one of mesh:traffic.egress.originated and mesh:traffic.egress.passed",
        EGRESS + f"{PASSED}, {ORIGINATED}}}}}",
        EGRESS + f"{PASSED}}}}}",
    ),
    stack("choose one", EGRESS + f"{PASSED}, {ORIGINATED}}}}}", EGRESS + f"{ORIGINATED}}}}}"),
    stack(
        "also serves api.example.com on this port: leave it out of one of",
        EGRESS + f"{PASSED}, too: {{hosts: [api.example.com, b.example.com], gateway: istio-egressgateway}}}}}}",
        EGRESS + f"{PASSED}, too: {{hosts: [b.example.com], gateway: istio-egressgateway}}}}}}",
    ),
    stack(
        "leave it out of one of mesh:traffic.egress.again and mesh:traffic.egress.originated, or the younger",
        EGRESS + f"{AGAIN}, {ORIGINATED}}}}}",
        EGRESS + f"{ORIGINATED}}}}}",
    ),
    stack(
        "enable a gateway with them in mesh:gateways, or leave this Gateway out of mesh:bookinfo",
        "{profile: minimal, bookinfo: true}",
        "{profile: minimal, bookinfo: true, gateways: {istio-ingressgateway: {enabled: true}}}",
    ),
    stack(
        "enable a gateway with them in mesh:gateways, or leave this Gateway out of mesh:bookinfo",
        "{profile: minimal, bookinfo: true}",
        "{profile: minimal, bookinfo: {gateway: false}}",
    ),
    stack(
        "make sure that it is there, and say so in mesh:analysis.suppress",
        "{bookinfo: true, traffic: {hosts: {page: {hosts: [b.example.com], tls: {secret: cert}, routes: [{to: productpage}]}}}}",
        "{bookinfo: true, traffic: {hosts: {page: {hosts: [b.example.com], tls: {secret: cert}, routes: [{to: productpage}]}}}, analysis: {suppress: [{code: IST0101, object: Gateway default/page-gateway, reason: it is there}]}}",
    ),
    stack(
        "make sure that the service is there, and say so in mesh:analysis.suppress",
        "{bookinfo: true, traffic: {hosts: {page: {hosts: [b.example.com], routes: [{to: cart.bank.svc.cluster.local}]}}}}",
        "{bookinfo: true, traffic: {hosts: {page: {hosts: [b.example.com], routes: [{to: cart.bank.svc.cluster.local}]}}}, analysis: {suppress: [{code: IST0101, object: VirtualService default/page, reason: it is there}]}}",
    ),
    stack(
        "join them, or clients get 404s",
        "{bookinfo: true, traffic: {hosts: {a: {hosts: [a.example.com], tls: {secret: cert}, routes: [{to: productpage}]}, b: {hosts: [b.example.com], tls: {secret: cert}, routes: [{to: productpage}]}}}}",
        "{bookinfo: true, traffic: {hosts: {a: {hosts: [a.example.com, b.example.com], tls: {secret: cert}, routes: [{to: productpage}]}}}}",
    ),
    stack(
        "make it longer, or drop perTryTimeout",
        REVIEWS + ", timeout: 1s, retries: {attempts: 2, perTryTimeout: 2s}}}}}",
        REVIEWS + ", timeout: 4s, retries: {attempts: 2, perTryTimeout: 2s}}}}}",
    ),
    stack(
        "move this one up, or drop it",
        REVIEWS + ", rules: [{match: {path: /a*}, route: v1}, {match: {path: /a/b}, route: v2}]}}}}",
        REVIEWS + ", rules: [{match: {path: /a/b}, route: v2}, {match: {path: /a*}, route: v1}]}}}}",
    ),
    stack(
        "has taken them all; move it up, or drop it",
        REVIEWS + ", rules: [{match: {path: /a*}, route: v1}, {match: {path: /a/b}, route: v2}]}}}}",
        REVIEWS + ", rules: [{match: {path: /a*}, route: v1}]}}}}",
    ),
    stack(
        "takes any certificate of reviews: name them",
        REVIEWS + ", tls: {mode: SIMPLE}}}}}",
        REVIEWS + ", tls: {mode: SIMPLE, caCertificates: /etc/ca.pem}}}}}",
    ),
    stack(
        "takes any certificate of api.example.com: name them",
        EGRESS + "a: {hosts: [api.example.com], protocol: HTTP, originateTls: true, authorities: ''}}}",
        EGRESS + f"{ORIGINATED}}}}}",
    ),
    stack(
        "name one as its port",
        "traffic: {hosts: {a: {hosts: [a.example.com], routes: [{to: istiod.istio-system.svc.cluster.local}]}}}",
        "traffic: {hosts: {a: {hosts: [a.example.com], routes: [{to: {service: istiod.istio-system.svc.cluster.local, port: 15014}}]}}}",
    ),
    stack(
        "leave the Gateway out of mesh:bookinfo, and name a version in mesh:traffic.hosts",
        "{bookinfo: true, traffic: {services: {productpage: {versions: [v1], route: v1}}}}",
        "{bookinfo: {gateway: false}, traffic: {services: {productpage: {versions: [v1], route: v1}}, hosts: {page: {hosts: [b.example.com], routes: [{to: {service: productpage, version: v1}}]}}}}",
    ),
    stack(
        "leave the entry out", "analysis: {suppress: [{code: IST0101, object: Gateway default/x, reason: none}]}", ""
    ),
    stack(
        "set addresses",
        EGRESS + "db: {hosts: [db.example.com], protocol: TCP, port: 3306}}}",
        EGRESS + "db: {hosts: [db.example.com], protocol: TCP, port: 3306, addresses: [192.0.2.7]}}}",
    ),
    # policies
    stack(
        "leave this Gateway out of mesh:bookinfo, and name its hosts in mesh:traffic.hosts",
        "bookinfo: true",
        "{bookinfo: {gateway: false}, traffic: {hosts: {page: {hosts: [b.example.com], routes: [{to: productpage}]}}}}",
    ),
    stack(
        "name the hosts",
        "{bookinfo: {gateway: false}, traffic: {hosts: {page: {hosts: ['*'], routes: [{to: productpage}]}}}}",
        "{bookinfo: {gateway: false}, traffic: {hosts: {page: {hosts: [b.example.com], routes: [{to: productpage}]}}}}",
    ),
    stack(
        "set mesh:addons.insecureDemo to false",
        "addons: {grafana: true, prometheus: true, insecureDemo: true}",
        "addons: {grafana: true, prometheus: true, insecureDemo: false}",
    ),
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
BY_HAND: Final = (
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
