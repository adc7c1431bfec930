"""Faulty meshes whose objects are valid, and match nothing, mangle requests, or undo each other."""

from __future__ import annotations

from typing import Any

from tests.meshes import Fault, Manifest, deployment, fault, gateway, manifest_of, routes, server, service, to

CART = "VirtualService shop/cart"
WAY_IN = "VirtualService shop/visitors"


def cart(*http: Manifest, **spec: Any) -> Manifest:
    """The VirtualService of the cart, for sidecars."""
    return routes("cart", *http, **spec)


def visitors(*http: Manifest, **spec: Any) -> Manifest:
    """The VirtualService of the ingress gateway."""
    return routes("visitors", *http, hosts=["shop.example.com"], gateways=["way-in"], **spec)


def unmet(name: str, said: str = f"MESH0107 {CART}", **match: Any) -> Fault:
    return fault(f"match that no request meets: {name}", said, cart(to("cart", match=[match])))


def mangled(name: str, **route: Any) -> Fault:
    return fault(f"mangled request: {name}", f"MESH0108 {CART}", cart(to("cart", **route)))


def rewritten(prefix: str, uri: str) -> Fault:
    return mangled(f"{prefix}* to {uri}", match=[{"uri": {"prefix": prefix}}], rewrite={"uri": uri})


def redirect(uri: str = "", *match: Manifest, **more: Any) -> Manifest:
    return {"redirect": {**({"uri": uri} if uri else {}), **more}, **({"match": list(match)} if match else {})}


def loop(name: str, *http: Manifest) -> Fault:
    return fault(f"redirect loop: {name}", f"MESH0109 {WAY_IN}", visitors(*http))


def allow(
    operation: Manifest | None = None, source: Manifest | None = None, app: str = "cart", **spec: Any
) -> Manifest:
    """An AuthorizationPolicy for the pods of an app."""
    rule = {
        "from": [{"source": source or {"namespaces": ["shop"]}}],
        **({"to": [{"operation": operation}]} if operation else {}),
    }
    return manifest_of("AuthorizationPolicy", "x", {"selector": {"matchLabels": {"app": app}}, "rules": [rule], **spec})


def unheld(name: str, said: str = "MESH0207 AuthorizationPolicy shop/x", **operation: Any) -> Fault:
    return fault(f"policy that matches nothing: {name}", said, allow(operation))


def unknown(source: Manifest) -> Fault:
    return fault(f"policy that matches nobody: {source}", "MESH0207 AuthorizationPolicy shop/x", allow(source=source))


def budget(**spec: Any) -> Manifest:
    return manifest_of("PodDisruptionBudget", "b", {"selector": {"matchLabels": {"app": "cart"}}, **spec})


def blocked(name: str, *objects: Manifest, **spec: Any) -> Fault:
    return fault(f"budget: {name}", "MESH0114 PodDisruptionBudget shop/b", budget(**spec), *objects)


def hashed(**policy: Any) -> Manifest:
    subsets = [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")]
    balancing = {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "user", "ttl": "0s"}}}}
    spec = {"host": "cart", "subsets": subsets, "trafficPolicy": {**balancing, **policy}}
    return manifest_of("DestinationRule", "cart", spec)


def split(**shares: int) -> Manifest:
    parts = [{"destination": {"host": "cart", "subset": v}, "weight": share} for v, share in shares.items()]
    return {"route": parts}


def ingress(kind: str = "LoadBalancer", **spec: Any) -> Manifest:
    """The Service of the ingress gateway."""
    ports = [
        {"name": "http2", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP"},
    ]
    return service("ingress", ports, "istio-system", selector={"istio": "ingress"}, type=kind, **spec)


def at_ingress(**source: Any) -> Manifest:
    """An AuthorizationPolicy for the ingress gateway."""
    spec = {"selector": {"matchLabels": {"istio": "ingress"}}, "rules": [{"from": [{"source": source}]}]}
    return manifest_of("AuthorizationPolicy", "x", spec, "istio-system")


LIMIT = manifest_of(
    "EnvoyFilter",
    "limit",
    {
        "workloadSelector": {"labels": {"istio": "ingress"}},
        "configPatches": [
            {
                "applyTo": "HTTP_ROUTE",
                "match": {"context": "GATEWAY"},
                "patch": {
                    "operation": "MERGE",
                    "value": {"route": {"rate_limits": [{"actions": [{"remote_address": {}}]}]}},
                },
            }
        ],
    },
    "istio-system",
)
DATABASE = [
    deployment("db", {"app": "db"}, serviceAccountName="db"),
    service("db", [{"name": "tcp", "port": 5432, "targetPort": 5432}]),
]
CONDITIONS = [
    unmet("a path with a query", uri={"exact": "/x?version=2"}),
    unmet("a prefix with a query", uri={"prefix": "/x?"}),
    unmet("a path with a fragment", uri={"exact": "/x#top"}),
    unmet("a path without /", uri={"exact": "ratings"}),
    unmet("a prefix with a host", uri={"prefix": "https://shop.example.com/"}),
    unmet("a path with a space", uri={"exact": "/my cart"}),
    unmet("a path that is not encoded", uri={"exact": "/café"}),
    unmet("a regex without /", uri={"regex": "(old|new)/.*"}),
    unmet("a regex with a query", uri={"regex": "/x\\?version=[0-9]+"}),
    unmet("a method in lower case", method={"exact": "get"}),
    unmet("a wildcard in a host", authority={"exact": "*.example.com"}),
    unmet("a host with a scheme", authority={"prefix": "https://shop"}),
    unmet("a port that the service does not have", port=8080),
    unmet("labels of nobody", sourceLabels={"app": "frnt"}),
    unmet("an unknown namespace", sourceNamespace="shops"),
    fault(
        "match that no request meets: a port of no Gateway",
        f"MESH0107 {WAY_IN}",
        visitors(to("front", match=[{"port": 8443}]), to("front")),
    ),
    fault(
        "origin without a scheme",
        f"MESH0107 {CART}",
        cart(to("cart", corsPolicy={"allowOrigins": [{"exact": "shop.example.com"}]})),
    ),
    fault(
        "origin with a path", f"MESH0107 {CART}", cart(to("cart", corsPolicy={"allowOrigin": ["https://a.example/"]}))
    ),
    fault(
        "HTTP routes for a TCP service",
        "MESH0113 VirtualService shop/db",
        *DATABASE,
        routes("db", to("db", timeout="1s")),
    ),
]
TARGETS = [
    rewritten("/common", "/"),
    rewritten("/api/", "/v2"),
    rewritten("/", "/v2"),
    rewritten("/old", "/new/"),
    mangled("everything to /v2", rewrite={"uri": "/v2"}),
    mangled("a wildcard", rewrite={"uri": "/v2/*"}, match=[{"uri": {"exact": "/a"}}]),
    mangled("no slash", rewrite={"uri": "v2"}),
    mangled("a host as the path", rewrite={"uri": "https://other.example/v2"}),
    mangled("an authority with a scheme", rewrite={"authority": "https://other.example"}),
    mangled("a header's name with a space", headers={"request": {"set": {"x y": "1"}}}),
    fault("redirect to a path with a host", f"MESH0108 {WAY_IN}", visitors(redirect("https://other.example/"))),
    fault("redirect with a code that Istio drops", f"MESH0108 {WAY_IN}", visitors(redirect("/a", redirectCode=304))),
    fault(
        "a header's value with a line break",
        f"IST0106 {CART}",
        cart(to("cart", headers={"response": {"add": {"x-y": "1\n2"}}})),
    ),
    loop("to itself", redirect("/loop", {"uri": {"prefix": "/loop"}}), to("front")),
    loop("everything to one path", redirect("/maintenance")),
    loop("with a condition that holds again", redirect("/m", {"headers": {"x-test": {"exact": "1"}}}), to("front")),
    loop("in a circle", redirect("/b", {"uri": {"exact": "/a"}}), redirect("/a", {"uri": {"prefix": "/b"}})),
    loop("by a regex", redirect("/v1/cart", {"uri": {"regex": "/v[0-9]+/.*"}}), to("front")),
    loop("to its own host", redirect(authority="shop.example.com")),
    fault("fault without a percentage", f"MESH0115 {CART}", cart(to("cart", fault={"abort": {"httpStatus": 503}}))),
]
TOGETHER = [
    fault("weights with affinity", f"MESH0110 {CART}", hashed(), cart(split(v1=50, v2=50))),
    fault(
        "affinity across hosts",
        f"MESH0110 {WAY_IN}",
        hashed(),
        visitors(
            {
                "route": [
                    {"destination": {"host": "front"}, "weight": 50},
                    {"destination": {"host": "cart", "subset": "v1"}, "weight": 50},
                ]
            }
        ),
    ),
    *(
        fault(
            f"{name} that the gateway does not apply",
            "MESH0111 VirtualService shop/front",
            routes("front", {**to("front"), name: value}),
        )
        for name, value in {
            "fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}},
            "timeout": "3s",
            "retries": {"attempts": 3},
            "mirror": {"host": "cart"},
            "headers": {"request": {"set": {"x-a": "1"}}},
            "rewrite": {"authority": "front"},
            "corsPolicy": {"allowOrigins": [{"exact": "*"}]},
        }.items()
    ),
    fault(
        "addresses behind a load balancer",
        "MESH0112 AuthorizationPolicy istio-system/x",
        ingress(),
        at_ingress(remoteIpBlocks=["192.0.2.0/24"]),
    ),
    fault(
        "addresses behind node ports",
        "MESH0112 AuthorizationPolicy istio-system/x",
        ingress("NodePort"),
        at_ingress(notIpBlocks=["192.0.2.0/24"]),
    ),
    fault("limit by an address behind a load balancer", "MESH0112 EnvoyFilter istio-system/limit", ingress(), LIMIT),
    fault(
        "failover without outlier detection",
        "IST0133 DestinationRule shop/front",
        manifest_of(
            "DestinationRule",
            "front",
            {
                "host": "front",
                "trafficPolicy": {"loadBalancer": {"localityLbSetting": {"failover": [{"from": "a", "to": "b"}]}}},
            },
        ),
    ),
    fault(
        "subset of a host without balancing",
        f"MESH0116 {CART}",
        hashed(loadBalancer={"simple": "PASSTHROUGH"}),
    ),
    fault(
        "redirect to https where nothing serves it",
        "MESH0108 Gateway shop/way-in",
        gateway("way-in", server(80, ["shop.example.com"], tls={"httpsRedirect": True})),
    ),
    fault(
        "timeout without room for the tries",
        f"MESH0103 {CART}",
        cart(to("cart", timeout="3s", retries={"attempts": 3, "perTryTimeout": "2s"})),
    ),
    fault(
        "EnvoyFilter that selects no workload",
        "MESH0117 EnvoyFilter shop/x",
        manifest_of("EnvoyFilter", "x", {"workloadSelector": {"labels": {"app": "nobody"}}, "configPatches": []}),
    ),
    blocked("two Deployments of one pod, of which it keeps both", minAvailable=2),
    blocked("all", minAvailable="100%"),
    blocked("none may be missing", maxUnavailable=0),
    blocked(
        "autoscalers that go down to one",
        *(
            manifest_of(
                "HorizontalPodAutoscaler", f"cart-{v}", {"scaleTargetRef": {"kind": "Deployment", "name": f"cart-{v}"}}
            )
            for v in ("v1", "v2")
        ),
        minAvailable=2,
    ),
]
ACCESS = [
    unheld("a path without /", paths=["ratings/*"]),
    unheld("two wildcards", paths=["/service/*health"]),
    unheld("wildcards at both ends", notPaths=["*/health*"]),
    unheld("a path with a query", paths=["/x?a=b"]),
    unheld("a method in lower case", methods=["get"]),
    unheld("a host with a scheme", hosts=["https://cart"]),
    unheld("wildcards at both ends of a host", notHosts=["*.example.com:*"]),
    unknown({"principals": ["spiffe://cluster.local/ns/shop/sa/front"]}),
    unknown({"principals": ["cluster.local/ns/*/sa/front"]}),
    unknown({"requestPrincipals": ["https://*.example.com/*"]}),
    unheld("a Service's port", "MESH0208 AuthorizationPolicy shop/x", ports=["80"]),
    fault(
        "condition on a port without a listener",
        "MESH0208 AuthorizationPolicy shop/x",
        allow(rules=[{"when": [{"key": "destination.port", "values": ["80"]}]}]),
    ),
    fault(
        "mutual TLS of a port without a listener",
        "MESH0208 PeerAuthentication shop/x",
        manifest_of(
            "PeerAuthentication",
            "x",
            {"selector": {"matchLabels": {"app": "cart"}}, "portLevelMtls": {"8000": {"mode": "STRICT"}}},
        ),
    ),
    fault(
        "HTTP rule for a TCP port",
        "MESH0209 AuthorizationPolicy shop/x",
        *DATABASE,
        allow({"methods": ["GET"]}, app="db"),
    ),
    fault(
        "HTTP rule that denies a TCP port",
        "MESH0209 AuthorizationPolicy shop/x",
        *DATABASE,
        allow({"paths": ["/a"], "ports": ["5432"]}, app="db", action="DENY"),
    ),
    fault(
        "callers without mutual TLS",
        "MESH0210 AuthorizationPolicy shop/cart",
        manifest_of(
            "PeerAuthentication", "x", {"selector": {"matchLabels": {"app": "cart"}}, "mtls": {"mode": "DISABLE"}}
        ),
    ),
]

REQUESTS = [*CONDITIONS, *TARGETS, *TOGETHER, *ACCESS]
