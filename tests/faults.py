"""Faulty meshes: one small change of the valid mesh for each finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.faults_of_later import CLAIMS, INJECTION, LATER, LOGGING, MIRRORS, TARGETS
from tests.faults_of_requests import REQUESTS
from tests.meshes import ENDED, Manifest, deployment, fault, gateway, manifest_of, routes, secret, server, service, to

SAME = {"match": [{"uri": {"prefix": "/a"}}]}
TLS = {"mode": "SIMPLE", "credentialName": "certificate"}
OF_ONE_VERSION = {
    "applyTo": "HTTP_FILTER",
    "match": {"proxy": {"proxyVersion": "^1\\.10.*"}},
    "patch": {"operation": "ADD", "value": {"name": "filter"}},
}
SECRET = secret()


def rule(name: str, host: str, subsets: Any = (), **spec: Any) -> Manifest:
    parts = [{"name": key, "labels": labels} for key, labels in dict(subsets).items()]
    return manifest_of("DestinationRule", name, {"host": host, **({"subsets": parts} if parts else {}), **spec})


def cart_rule(**spec: Any) -> Manifest:
    """The DestinationRule of the valid mesh with further fields."""
    return rule("cart", "cart", {"v1": {"version": "v1"}, "v2": {"version": "v2"}}, **spec)


def entry(name: str, protocol: str, host: str = "bank.example.com", **spec: Any) -> Manifest:
    ports = [{"number": 443, "name": "bank", "protocol": protocol}]
    return manifest_of("ServiceEntry", name, {"hosts": [host], "ports": ports, "resolution": "DNS", **spec})


def policy(name: str, source: Manifest, app: str = "cart") -> Manifest:
    rules = [{"from": [{"source": source}]}]
    return manifest_of("AuthorizationPolicy", name, {"selector": {"matchLabels": {"app": app}}, "rules": rules})


def patch(operation: str, part: str = "HTTP_FILTER", before: Sequence[Manifest] = ()) -> Manifest:
    """An EnvoyFilter with one patch after those in `before`."""
    value = {"name": "filter", "typed_config": {"@type": "type.googleapis.com/envoy.config.core.v3.Node"}}
    entry = {"applyTo": part, "match": {}, "patch": {"operation": operation, "value": value}}
    return manifest_of("EnvoyFilter", "filter", {"configPatches": [*before, entry]})


def sidecar(name: str, app: str = "") -> Manifest:
    selector = {"workloadSelector": {"labels": {"app": app}}} if app else {}
    return manifest_of("Sidecar", name, {**selector, "egress": [{"hosts": ["./*"]}]})


ROUTES = [
    fault("route to an unknown host", "IST0101 VirtualService shop/front", routes("front", to("carts"))),
    fault(
        "mirror to an unknown host",
        "IST0101 VirtualService shop/cart",
        routes("cart", to("cart", mirror={"host": "x"})),
    ),
    fault(
        "route to a namespace outside the mesh",
        "IST0101 VirtualService shop/front",
        routes("front", to("cart.bank.svc.cluster.local")),
    ),
    fault(
        "route to an unknown port",
        "IST0101 VirtualService shop/front",
        routes("front", {"route": [{"destination": {"host": "front", "port": {"number": 81}}}]}),
    ),
    fault("route to an unknown subset", "IST0101 VirtualService shop/front", routes("front", to("cart", "v3"))),
    fault(
        "route without a port to a Service with two",
        "IST0112 VirtualService shop/front",
        routes("front", to("two")),
        service("two", [{"name": "http-a", "port": 1}, {"name": "http-b", "port": 2}], selector={"app": "front"}),
    ),
    fault("unknown delegate", "MESH0101 VirtualService shop/front", routes("front", {"delegate": {"name": "x"}})),
    fault(
        "delegate with hosts of its own",
        "MESH0101 VirtualService shop/front",
        routes("front", {"delegate": {"name": "cart"}}),
    ),
    fault(
        "route to a host that is not exported",
        "IST0101 VirtualService shop/front",
        routes("front", to("bank.example.com")),
        manifest_of(
            "ServiceEntry",
            "bank",
            {
                "hosts": ["bank.example.com"],
                "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
                "resolution": "DNS",
                "exportTo": ["."],
            },
            namespace="istio-system",
        ),
    ),
    fault(
        "weights that do not add up",
        "IST0106 VirtualService shop/front",
        routes(
            "front",
            {
                "route": [
                    {"destination": {"host": "cart", "subset": "v1"}, "weight": 90},
                    {"destination": {"host": "cart", "subset": "v2"}, "weight": 5},
                ]
            },
        ),
        until="1.10",
    ),
    fault(
        "value that a header must not have, in a release where a missing header does not fit",
        "MESH0120 VirtualService shop/front",
        routes("front", to("cart", match=[{"withoutHeaders": {"end-user": {"exact": "jason"}}}]), to("front")),
        until="1.10",
    ),
    fault(
        "invalid regular expression",
        "IST0106 VirtualService shop/front",
        routes("front", to("front", match=[{"uri": {"regex": "a("}}])),
    ),
    fault(
        "timeout shorter than that of a retry",
        "MESH0103 VirtualService shop/cart",
        routes("cart", to("cart", timeout="1s", retries={"attempts": 2, "perTryTimeout": "2s"})),
    ),
    fault(
        "timeout together with a fault",
        "MESH0104 VirtualService shop/cart",
        routes(
            "cart",
            to("cart", timeout="1s", fault={"abort": {"httpStatus": 500, "percentage": {"value": 1}}}),
        ),
    ),
    fault(
        "deprecated field percent of a delay",
        "IST0002 VirtualService shop/cart",
        routes("cart", to("cart", fault={"delay": {"fixedDelay": "1s", "percent": 5}})),
    ),
    fault(
        "deprecated field mirrorPercent",
        "IST0133 VirtualService shop/cart",
        routes("cart", to("cart", mirror={"host": "front"}, mirrorPercent=5)),
    ),
    fault(
        "match that repeats an earlier one",
        "IST0131 VirtualService shop/front; IST0130 VirtualService shop/front",
        routes("front", {**to("front"), **SAME}, {**to("cart"), **SAME}),
    ),
    fault(
        "match below an earlier prefix",
        "IST0131 VirtualService shop/front; IST0130 VirtualService shop/front",
        routes("front", {**to("front"), **SAME}, to("cart", match=[{"uri": {"prefix": "/a/b"}}])),
    ),
    fault(
        "match of which one alternative is still reachable",
        "IST0131 VirtualService shop/front",
        routes(
            "front",
            {**to("front"), **SAME},
            to("cart", match=[{"uri": {"prefix": "/a/b"}}, {"uri": {"prefix": "/b"}}]),
        ),
    ),
    fault(
        "route after a catch-all",
        "IST0130 VirtualService shop/front; IST0131 VirtualService shop/front",
        routes("front", to("front"), {**to("cart"), **SAME}),
    ),
    fault("two catch-all routes", "IST0130 VirtualService shop/front", routes("front", to("front"), to("cart"))),
]

HOSTS = [
    fault(
        "unknown gateway",
        "IST0101 VirtualService shop/visitors; IST0132 VirtualService shop/visitors",
        routes("visitors", to("front"), hosts=["shop.example.com"], gateways=["way-out"]),
    ),
    fault(
        "host that the gateway does not serve",
        "IST0132 VirtualService shop/visitors",
        routes("visitors", to("front"), hosts=["store.example.com"], gateways=["way-in"]),
    ),
    fault(
        "host that the gateway serves for another namespace only",
        "IST0132 VirtualService shop/visitors",
        gateway("way-in", server(80, ["bank/shop.example.com"])),
    ),
    fault(
        "two VirtualServices for one host in sidecars",
        "IST0109 VirtualService shop/cart; IST0109 VirtualService shop/other",
        routes("other", to("cart", "v1"), hosts=["cart.shop.svc.cluster.local"]),
    ),
    fault(
        "two VirtualServices for one host at a gateway",
        "MESH0102 VirtualService shop/visitors",
        routes("others", to("cart", "v2"), hosts=["shop.example.com"], gateways=["way-in"]),
    ),
    fault(
        "gateway route that bypasses the routes of sidecars",
        "IST0140 VirtualService shop/visitors",
        routes("visitors", to("cart"), hosts=["shop.example.com"], gateways=["way-in"]),
    ),
    fault(
        "gateway in the deprecated form of a host name",
        "IST0133 VirtualService shop/visitors",
        routes("visitors", to("front"), hosts=["shop.example.com"], gateways=["way-in.shop.svc.cluster.local"]),
    ),
]

GATEWAYS = [
    fault(
        "selector that no pod has",
        "IST0101 Gateway shop/way-in",
        gateway("way-in", server(80, ["shop.example.com"]), selector="none"),
    ),
    fault(
        "port that no Service has",
        "IST0162 Gateway shop/way-in",
        gateway("way-in", server(80, ["shop.example.com"]), server(81, ["shop.example.com"])),
        since="1.30",
        earlier="IST0104 Gateway shop/way-in",
    ),
    fault(
        "port of the pods and not of their Service, in a release where that one counts",
        "IST0104 Gateway shop/way-in",
        gateway("way-in", server(8080, ["shop.example.com"])),
        until="1.10",
    ),
    fault(
        "two Gateways for one host",
        "IST0145 Gateway shop/way-in; IST0145 Gateway shop/other",
        gateway("other", server(80, ["shop.example.com"])),
    ),
    fault(
        "unknown secret",
        "IST0101 Gateway shop/other",
        gateway("other", server(443, ["a.example.com"], "HTTPS", tls=TLS)),
    ),
    fault(
        "certificate of two Gateways",
        "IST0138 Gateway shop/one; IST0138 Gateway shop/two",
        SECRET,
        gateway("one", server(443, ["a.example.com"], "HTTPS", tls=TLS)),
        gateway("two", server(443, ["b.example.com"], "HTTPS", tls=TLS)),
    ),
    fault(
        "certificate of two Gateways of which one is for fewer pods",
        "IST0138 Gateway shop/one; IST0138 Gateway shop/two; IST0101 Gateway shop/two",
        SECRET,
        gateway("one", server(443, ["a.example.com"], "HTTPS", tls=TLS)),
        manifest_of(
            "Gateway",
            "two",
            {
                "selector": {"istio": "ingress", "tier": "edge"},
                "servers": [server(443, ["b.example.com"], "HTTPS", tls=TLS)],
            },
        ),
    ),
    fault(
        "file of a certificate beside a secret",
        "IST0133 Gateway shop/other",
        SECRET,
        gateway("other", server(443, ["a.example.com"], "HTTPS", tls={**TLS, "serverCertificate": "/a.pem"})),
    ),
    *(
        fault(
            f"secret with {what}",
            "IST0161 Gateway shop/other",
            found,
            gateway("other", server(443, ["a.example.com"], "HTTPS", tls=TLS)),
        )
        for what, found in (
            ("a certificate that has ended", secret(ENDED)),
            ("what is no certificate", secret("AAAA")),
            ("a certificate under another key", secret(key="certificate")),
        )
    ),
    fault(
        "Sidecar in a namespace of ambient mode",
        "IST0167 Sidecar calm/all",
        manifest_of("Namespace", "calm", labels={"istio.io/dataplane-mode": "ambient"}),
        manifest_of("Sidecar", "all", {"egress": [{"hosts": ["./*"]}]}, "calm"),
    ),
    fault(
        "redirect without HTTP",
        "IST0133 Gateway shop/other",
        gateway("other", server(443, ["a.example.com"], "TLS", tls={"mode": "PASSTHROUGH", "httpsRedirect": True})),
    ),
    fault(
        "certificate with TLS passthrough",
        "IST0133 Gateway shop/other",
        SECRET,
        gateway("other", server(443, ["a.example.com"], "TLS", tls={**TLS, "mode": "PASSTHROUGH"})),
    ),
]

DESTINATIONS = [
    fault("rule for an unknown host", "IST0174 DestinationRule shop/x", rule("x", "unknown")),
    fault(
        "subset without pods",
        "IST0173 DestinationRule shop/front",
        rule("front", "front", {"v9": {"version": "v9"}}),
    ),
    fault(
        "TLS without verification",
        "IST0128 DestinationRule shop/bank",
        entry("bank", "HTTPS"),
        rule("bank", "bank.example.com", trafficPolicy={"tls": {"mode": "SIMPLE"}}),
    ),
    fault(
        "TLS without verification on a port",
        "IST0129 DestinationRule shop/bank",
        entry("bank", "HTTPS"),
        rule(
            "bank",
            "bank.example.com",
            trafficPolicy={"portLevelSettings": [{"port": {"number": 443}, "tls": {"mode": "SIMPLE"}}]},
        ),
    ),
    fault(
        "two rules for one host",
        "MESH0106 DestinationRule shop/other",
        cart_rule(trafficPolicy={"loadBalancer": {"simple": "RANDOM"}}),
        rule("other", "cart", trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}}),
    ),
    fault(
        "deprecated field consecutiveErrors",
        "IST0133 DestinationRule shop/cart",
        cart_rule(trafficPolicy={"outlierDetection": {"consecutiveErrors": 5}}),
    ),
    fault(
        "entry without address",
        "IST0134 ServiceEntry shop/bank",
        entry("bank", "TCP"),
    ),
    fault(
        "ServiceEntries with conflicting protocols",
        "IST0177 ServiceEntry shop/bank; IST0177 ServiceEntry shop/other",
        entry("bank", "HTTPS"),
        entry("other", "GRPC"),
    ),
]

WORKLOADS = [
    fault("port without a protocol", "IST0118 Service shop/front", service("front", [{"name": "web", "port": 80}])),
    fault(
        "port of an ExternalName Service",
        "IST0150 Service shop/outer",
        manifest_of(
            "Service",
            "outer",
            {"type": "ExternalName", "externalName": "example.com", "ports": [{"name": "tcp", "port": 90}]},
        ),
    ),
    fault(
        "one port, two protocols",
        "IST0116 Deployment shop/front",
        service("dns", [{"name": "udp-x", "port": 80, "targetPort": 9, "protocol": "UDP"}], selector={"app": "front"}),
    ),
    fault(
        "one port, two numbers",
        "IST0137 Deployment shop/front",
        service("front-too", [{"name": "http", "port": 90, "targetPort": 8080}], selector={"app": "front"}),
    ),
    fault(
        "service without pods",
        "MESH0105 Service shop/lonely",
        service("lonely"),
    ),
    fault(
        "workload with the proxy's user id",
        "IST0144 Deployment shop/front",
        deployment("front", {"app": "front"}, serviceAccountName="front", securityContext={"runAsUser": 1337}),
    ),
    fault("namespace without label", "IST0102 Namespace other", manifest_of("Namespace", "other")),
    fault(
        "namespace with two labels",
        "IST0123 Namespace other",
        manifest_of("Namespace", "other", labels={"istio-injection": "enabled", "istio.io/rev": "default"}),
    ),
    fault(
        "namespace of an unknown revision",
        "MESH0206 Namespace other",
        manifest_of("Namespace", "other", labels={"istio.io/rev": "canari"}),
        manifest_of("MutatingWebhookConfiguration", "injector", labels={"istio.io/rev": "canary"}),
    ),
    fault(
        "webhook without Service",
        "IST0139 MutatingWebhookConfiguration injector",
        {
            **manifest_of("MutatingWebhookConfiguration", "injector", labels={"istio.io/rev": "default"}),
            "webhooks": [
                {
                    "name": "object.sidecar-injector.istio.io",
                    "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system"}},
                    "objectSelector": {"matchLabels": {"sidecar.istio.io/inject": "true"}},
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                }
            ],
        },
    ),
    fault(
        "annotation in the wrong place",
        "IST0107 Service shop/front",
        {
            **service("front"),
            "metadata": {**service("front")["metadata"], "annotations": {"sidecar.istio.io/proxyCPU": "1"}},
        },
    ),
    fault(
        "unknown annotation",
        "IST0108 Deployment shop/front",
        deployment("front", {"app": "front"}, serviceAccountName="front", annotations={"sidecar.istio.io/cpu": "1"}),
    ),
    fault(
        "annotation with a wrong value",
        "IST0125 Deployment shop/front",
        deployment(
            "front",
            {"app": "front"},
            serviceAccountName="front",
            annotations={"traffic.sidecar.istio.io/includeInboundPorts": "eighty"},
        ),
    ),
    fault(
        "ProxyConfig in an annotation that the injector refuses",
        "IST0125 Deployment shop/front",
        deployment(
            "front",
            {"app": "front"},
            serviceAccountName="front",
            annotations={"proxy.istio.io/config": "drainDuration: 1500ms"},
        ),
    ),
    fault("Sidecar that selects no workload", "IST0101 Sidecar shop/x", sidecar("x", "nobody")),
    fault(
        "two Sidecars for one workload",
        "IST0110 Sidecar shop/a; IST0110 Sidecar shop/b",
        sidecar("a", "front"),
        sidecar("b", "front"),
    ),
    fault(
        "two Sidecars for a whole namespace",
        "IST0111 Sidecar shop/a; IST0111 Sidecar shop/b",
        sidecar("a"),
        sidecar("b"),
    ),
    fault(
        "Sidecar with an empty selector",
        "IST0133 Sidecar shop/a",
        manifest_of("Sidecar", "a", {"workloadSelector": {}, "egress": [{"hosts": ["./*"]}]}),
    ),
]

POLICIES = [
    fault(
        "policy that selects no workload",
        "IST0127 AuthorizationPolicy shop/x",
        policy("x", {"namespaces": ["shop"]}, app="nobody"),
    ),
    fault(
        "policy for a namespace without sidecars",
        "IST0127 AuthorizationPolicy other/deny",
        manifest_of("Namespace", "other", labels={"istio-injection": "disabled"}),
        manifest_of("AuthorizationPolicy", "deny", {}, namespace="other"),
    ),
    fault("unknown namespace", "IST0101 AuthorizationPolicy shop/x", policy("x", {"namespaces": ["shops"]})),
    fault(
        "unknown account",
        "MESH0205 AuthorizationPolicy shop/x",
        policy("x", {"principals": ["cluster.local/ns/shop/sa/font"]}),
    ),
    fault(
        "strict mutual TLS for a workload without sidecar",
        "MESH0201 PeerAuthentication shop/default",
        deployment("batch", {"app": "batch", "sidecar.istio.io/inject": "false"}),
    ),
    fault(
        "plain text to a workload with strict mutual TLS",
        "MESH0202 DestinationRule shop/cart",
        cart_rule(trafficPolicy={"tls": {"mode": "DISABLE"}}),
    ),
    fault(
        "mutual TLS to a workload without sidecar",
        "MESH0203 DestinationRule plain/db",
        manifest_of("Namespace", "plain", labels={"istio-injection": "disabled"}),
        deployment("db", {"app": "db"}, "plain"),
        service("db", namespace="plain"),
        manifest_of(
            "DestinationRule",
            "db",
            {"host": "db", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}},
            namespace="plain",
        ),
    ),
    fault(
        "two PeerAuthentications for one namespace",
        "MESH0204 PeerAuthentication shop/other",
        manifest_of("PeerAuthentication", "other", {"mtls": {"mode": "PERMISSIVE"}}),
    ),
    fault(
        "misspelt field of Envoy's",
        "IST0133 EnvoyFilter shop/filter",
        manifest_of(
            "EnvoyFilter",
            "filter",
            {
                "configPatches": [
                    {
                        "applyTo": "CLUSTER",
                        "match": {},
                        "patch": {"operation": "MERGE", "value": {"dns_lookup_famly": 1}},
                    }
                ]
            },
        ),
    ),
    fault("relative patch", "IST0151 EnvoyFilter shop/filter", patch("INSERT_BEFORE")),
    fault(
        "relative patch after one for a single proxy version",
        "IST0155 EnvoyFilter shop/filter",
        patch("INSERT_BEFORE", before=[OF_ONE_VERSION]),
    ),
    fault("patch that replaces a route", "IST0152 EnvoyFilter shop/filter", patch("REPLACE", "HTTP_ROUTE")),
    fault("patch that adds a route", "IST0153 EnvoyFilter shop/filter", patch("ADD", "HTTP_ROUTE")),
    fault("patch that removes a route", "IST0154 EnvoyFilter shop/filter", patch("REMOVE", "HTTP_ROUTE")),
]

MUTUAL_OFF = {"mtls": {"mode": "DISABLE"}}

CALLERS = [
    fault(
        "callers of a namespace without mutual TLS",
        "MESH0210 AuthorizationPolicy shop/cart",
        manifest_of("PeerAuthentication", "default", MUTUAL_OFF),
    ),
    fault(
        "callers of a workload without mutual TLS",
        "MESH0210 AuthorizationPolicy shop/cart",
        manifest_of("PeerAuthentication", "cart", {"selector": {"matchLabels": {"app": "cart"}}, **MUTUAL_OFF}),
    ),
    *(
        fault(
            f"callers that a DestinationRule has speak {mode}",
            "MESH0210 AuthorizationPolicy shop/cart",
            manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}}),
            cart_rule(trafficPolicy={"tls": tls}),
        )
        for mode, tls in {
            "plain text": {"mode": "DISABLE"},
            "another TLS": {"mode": "SIMPLE", "caCertificates": "/ca.pem"},
        }.items()
    ),
    fault(
        "callers that nothing has speak mutual TLS",
        "MESH0210 AuthorizationPolicy shop/cart",
        manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}}),
        manifest_of("ConfigMap", "istio", namespace="istio-system") | {"data": {"mesh": "enableAutoMtls: false"}},
    ),
    fault(
        "mirror that refuses the gateway",
        "MESH0211 VirtualService shop/visitors",
        routes("visitors", to("front", mirror={"host": "cart"}), hosts=["shop.example.com"], gateways=["way-in"]),
    ),
    fault(
        "mirror that refuses the callers of the service",
        "MESH0211 VirtualService shop/cart",
        deployment("audit", {"app": "audit"}, serviceAccountName="audit"),
        service("audit"),
        policy("audit", {"principals": ["cluster.local/ns/shop/sa/cart"]}, app="audit"),
        routes("cart", to("cart", mirror={"host": "audit"})),
    ),
]

CORS_POLICY = {"allowOrigins": [{"exact": "https://shop.example.com"}]}
TOKENS = [
    manifest_of(
        "RequestAuthentication",
        "tokens",
        {"selector": {"matchLabels": {"istio": "ingress"}}, "jwtRules": [{"issuer": "https://a.example.com"}]},
        namespace="istio-system",
    ),
    manifest_of(
        "AuthorizationPolicy",
        "tokens",
        {
            "selector": {"matchLabels": {"istio": "ingress"}},
            "action": "DENY",
            "rules": [{"from": [{"source": {"notRequestPrincipals": ["*"]}}]}],
        },
        namespace="istio-system",
    ),
]


OF_NO_PREFLIGHT: dict[str, Manifest] = {
    "another method": {"method": {"exact": "GET"}},
    "a user": {"headers": {"end-user": {"exact": "jason"}}},
    "a cookie": {"headers": {"cookie": {"regex": ".*"}}},
    "a token": {"headers": {"Authorization": {}}},
}
"""Matches that no preflight meets, by what they want."""


def visitors(*http: Manifest) -> Manifest:
    return routes("visitors", *http, hosts=["shop.example.com"], gateways=["way-in"])


CORS = [
    *(
        fault(
            f"preflights that do not meet a match of {name}",
            "MESH0118 VirtualService shop/visitors",
            visitors(
                {"match": [{"uri": {"prefix": "/a"}, **match}], **to("front", corsPolicy=CORS_POLICY)}, to("front")
            ),
        )
        for name, match in OF_NO_PREFLIGHT.items()
    ),
    fault(
        "tokens that browsers may not send",
        "MESH0119 VirtualService shop/visitors",
        *TOKENS,
        visitors(to("front", corsPolicy=CORS_POLICY)),
    ),
]


FAULTS = [
    *LATER,
    *TARGETS,
    *CLAIMS,
    *INJECTION,
    *LOGGING,
    *ROUTES,
    *HOSTS,
    *GATEWAYS,
    *DESTINATIONS,
    *WORKLOADS,
    *POLICIES,
    *CALLERS,
    *MIRRORS,
    *CORS,
    *REQUESTS,
]
