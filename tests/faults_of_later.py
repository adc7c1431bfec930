"""Faulty meshes of what later releases have, and of the codes that later releases of istioctl have."""

from __future__ import annotations

import json
from typing import Any

from tests.faults_of_requests import visitors
from tests.meshes import Manifest, deployment, fault, manifest_of, routes, service, to


def telemetry(name: str, app: str = "", **spec: Any) -> Manifest:
    selector = {"selector": {"matchLabels": {"app": app}}} if app else {}
    return manifest_of("Telemetry", name, {**selector, "tracing": [{"randomSamplingPercentage": 10}], **spec})


def front(**annotations: str) -> Manifest:
    """The workload of the valid mesh with annotations of `sidecar.istio.io`."""
    named = {f"sidecar.istio.io/{name}": value for name, value in annotations.items()}
    return deployment("front", {"app": "front"}, serviceAccountName="front", annotations=named)


ISTIOD = {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}}
_OF_API = "gateway.networking.k8s.io"
WAYPOINT = {f"{_OF_API}/gateway-name": "way", f"{_OF_API}/gateway-class-name": "istio-waypoint"}
TLS_ROUTES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "tlsroutes.gateway.networking.k8s.io",
        "annotations": {"gateway.networking.k8s.io/bundle-version": "v1.4.1"},
    },
    "spec": {"group": "gateway.networking.k8s.io", "names": {"kind": "TLSRoute", "plural": "tlsroutes"}},
}
KEYS = "https://issuer.example.com/keys"
LATER = [
    fault(
        "rewrite by a group that the expression lacks",
        "MESH0108 VirtualService shop/cart",
        routes("cart", {**to("cart"), "rewrite": {"uriRegexRewrite": {"match": "/(.*)", "rewrite": r"/\2"}}}),
        since="1.30",
        earlier="IST0106 VirtualService shop/cart; MESH0108 VirtualService shop/cart",
    ),
    fault("Telemetry that selects no workload", "IST0101 Telemetry shop/x", telemetry("x", "nobody")),
    fault(
        "two Telemetries for one workload",
        "IST0159 Telemetry shop/a; IST0159 Telemetry shop/b",
        telemetry("a", "front"),
        telemetry("b", "front"),
    ),
    fault(
        "two Telemetries for a whole namespace",
        "IST0160 Telemetry shop/a; IST0160 Telemetry shop/b",
        telemetry("a"),
        telemetry("b"),
    ),
    fault("deprecated annotation", "IST0135 Deployment shop/front", front(discoveryAddress="istiod.example.com:15012")),
    fault("annotation that a label has replaced", "IST0135 Deployment shop/front", front(inject="true"), since="1.30"),
    fault(
        "keys from any address",
        "IST0175 Deployment istio-system/istiod",
        {**deployment("istiod", {"app": "istiod"}, "istio-system"), "metadata": ISTIOD},
        manifest_of(
            "RequestAuthentication",
            "tokens",
            {
                "selector": {"matchLabels": {"app": "front"}},
                "jwtRules": [{"issuer": "https://issuer.example.com", "jwksUri": KEYS}],
            },
        ),
        since="1.30",
    ),
    fault(
        "policy that selects a waypoint",
        "IST0166 AuthorizationPolicy shop/calls",
        deployment("way", WAYPOINT, containers=[{"name": "istio-proxy", "image": "proxyv2"}]),
        service("way", selector=WAYPOINT),
        manifest_of("AuthorizationPolicy", "calls", {"selector": {"matchLabels": WAYPOINT}, "rules": [{}]}),
    ),
    fault(
        "old definition of the Gateway API",
        "IST0176 CustomResourceDefinition tlsroutes.gateway.networking.k8s.io",
        TLS_ROUTES,
        since="1.30",
    ),
]

CLAIM = {"@request.auth.claims[group]": {"exact": "staff"}}
CLAIMS = [
    fault(
        f"route by a claim at a gateway that proves no token, in {field}",
        "IST0149 VirtualService shop/visitors",
        visitors(to("front", timeout="1s", match=[{field: CLAIM}]), to("front")),
        manifest_of(
            "RequestAuthentication",
            "elsewhere",
            {"selector": {"matchLabels": {"app": "front"}}, "jwtRules": [{"issuer": "a", "jwks": '{"keys": []}'}]},
        ),
        since="1.30",
        earlier="IST0106 VirtualService shop/visitors",
    )
    for field in ("headers", "withoutHeaders")
]


def configured(mesh: Manifest, networks: Manifest) -> Manifest:
    """The ConfigMap with the configuration of the mesh and its networks."""
    data = {"mesh": json.dumps(mesh), "meshNetworks": json.dumps(networks)}
    return {**manifest_of("ConfigMap", "istio", namespace="istio-system"), "data": data}


LIGHTSTEP = {"name": "spans", "lightstep": {"service": "a.example.com", "port": 443, "accessToken": "a"}}
LOGGING = [
    fault(
        "access logging without a provider",
        "IST0157 Telemetry shop/a",
        telemetry("a", accessLogging=[{"filter": {"expression": "response.code >= 400"}}]),
        since="1.30",
        earlier="IST0106 Telemetry shop/a",
    ),
    fault(
        "one entry of two without a provider",
        "IST0157 Telemetry shop/a",
        telemetry("a", accessLogging=[{"providers": [{"name": "envoy"}]}, {"filter": {"expression": "true"}}]),
        since="1.30",
        earlier="IST0106 Telemetry shop/a",
    ),
    fault(
        "provider of a deprecated kind",
        "IST0002 Telemetry shop/a",
        configured({"extensionProviders": [LIGHTSTEP]}, {"networks": {}}),
        telemetry("a", tracing=[{"providers": [{"name": "spans"}]}]),
    ),
]


def running(app: str, containers: list[Manifest]) -> Manifest:
    """A pod on a node."""
    return manifest_of("Pod", f"{app}-1", {"containers": containers, "nodeName": "node"}, labels={"app": app})


def webhook(name: str, namespaces: Manifest) -> Manifest:
    """An injection webhook for some namespaces."""
    service = {"name": "istiod", "namespace": "istio-system"}
    one = {"name": f"{name}.istio.io", "clientConfig": {"service": service}, "namespaceSelector": namespaces}
    one |= {"admissionReviewVersions": ["v1"], "sideEffects": "None"}
    return {**manifest_of("MutatingWebhookConfiguration", name), "webhooks": [one]}


def injector(revision: str = "", **values: Any) -> Manifest:
    """The ConfigMap of an injector."""
    name = f"istio-sidecar-injector-{revision}" if revision else "istio-sidecar-injector"
    images = {"hub": "docker.io/istio", "tag": "1.10.3", "proxy": {"image": "proxyv2"}}
    chosen = {"global": images, "sidecarInjectorWebhook": {"enableNamespacesByDefault": False}, **values}
    return {**manifest_of("ConfigMap", name, namespace="istio-system"), "data": {"values": json.dumps(chosen)}}


def with_proxy(image: str) -> list[Manifest]:
    """Containers with a proxy of their own."""
    return [{"name": "app", "image": "app"}, {"name": "istio-proxy", "image": image}]


EVERYWHERE = {"enableNamespacesByDefault": True}
PLAIN = manifest_of("Namespace", "plain", labels={"istio-injection": "disabled"})
INJECTION = [
    fault(
        "image for the injector to set, in pods that are not injected",
        "IST0146 Deployment plain/front",
        PLAIN,
        deployment("front", {"app": "front"}, "plain", containers=with_proxy("auto")),
        service("front", namespace="plain"),
    ),
    fault(
        "image for the injector to set, in a pod that is not injected",
        "IST0147 Pod plain/front",
        PLAIN,
        manifest_of("Pod", "front", {"containers": with_proxy("auto")}, "plain", labels={"app": "front"}),
    ),
    fault(
        "namespace that is injected by default",
        "IST0148 Namespace other",
        injector(sidecarInjectorWebhook=EVERYWHERE),
        manifest_of("Namespace", "other"),
    ),
    fault(
        "namespace of sidecars and of ambient mode",
        "IST0123 Namespace other",
        manifest_of("Namespace", "other", labels={"istio-injection": "enabled", "istio.io/dataplane-mode": "ambient"}),
    ),
    fault(
        "proxy of another version than the injector's",
        "IST0158 Namespace shop",
        injector(),
        deployment(
            "front",
            {"app": "front"},
            serviceAccountName="front",
            containers=with_proxy("docker.io/istio/proxyv2:1.9.0"),
        ),
        since="1.30",
        earlier="IST0105 Deployment shop/front",
    ),
    fault(
        "proxy of another version on a pod that runs",
        "IST0158 Namespace shop",
        injector(),
        running("front", with_proxy("docker.io/istio/proxyv2:1.9.0")),
        since="1.30",
        earlier="IST0105 Pod shop/front-1",
    ),
    fault(
        "pod that runs without the sidecar of its namespace",
        "IST0103 Pod shop/front-1; MESH0201 PeerAuthentication shop/default",
        running("front", [{"name": "app", "image": "app"}]),
    ),
    fault(
        "Deployment without a Service, in a release that wants one",
        "IST0117 Deployment shop/worker",
        deployment("worker", {"app": "worker"}),
        until="1.10",
    ),
    fault(
        "webhooks that inject the same pods",
        "IST0139 MutatingWebhookConfiguration one; IST0139 MutatingWebhookConfiguration two",
        webhook("one", {"matchLabels": {"istio-injection": "enabled"}}),
        webhook("two", {"matchExpressions": [{"key": "istio-injection", "operator": "NotIn", "values": ["disabled"]}]}),
        deployment("istiod", {"app": "istiod"}, "istio-system"),
        service("istiod", namespace="istio-system"),
    ),
    fault(
        "network of a cluster without a secret",
        "IST0126 ConfigMap istio-system/istio",
        configured({}, {"networks": {"other": {"endpoints": [{"fromRegistry": "far"}]}}}),
    ),
]


def attached(kind: str, name: str, group: str = "", **spec: Any) -> Manifest:
    """A policy with a target in place of a selector."""
    return manifest_of(
        "AuthorizationPolicy", "x", {"targetRefs": [{"group": group, "kind": kind, "name": name}], **spec}
    )


TARGETS = [
    fault(
        "policy for a Service without a waypoint",
        "IST0127 AuthorizationPolicy shop/x",
        attached("Service", "cart"),
        since="1.30",
        earlier="IST0106 AuthorizationPolicy shop/x; IST0127 AuthorizationPolicy shop/x",
    ),
    fault(
        "policy for a Gateway of Istio's",
        "IST0127 AuthorizationPolicy shop/x",
        attached("Gateway", "way-in", "gateway.networking.k8s.io"),
        since="1.30",
        earlier="IST0106 AuthorizationPolicy shop/x; IST0127 AuthorizationPolicy shop/x",
    ),
]


MIRRORS = [
    fault(
        "one of several mirrors to an unknown host",
        "IST0101 VirtualService shop/cart",
        routes("cart", to("cart", mirrors=[{"destination": {"host": "front"}}, {"destination": {"host": "x"}}])),
        since="1.30",
        earlier="IST0101 VirtualService shop/cart; IST0106 VirtualService shop/cart",
    ),
    fault(
        "one of several mirrors that refuses the gateway",
        "MESH0211 VirtualService shop/visitors",
        routes(
            "visitors",
            to("front", mirrors=[{"destination": {"host": "front"}}, {"destination": {"host": "cart"}}]),
            hosts=["shop.example.com"],
            gateways=["way-in"],
        ),
        since="1.30",
        earlier="IST0106 VirtualService shop/visitors; MESH0211 VirtualService shop/visitors",
    ),
    fault(
        "several mirrors that the gateway does not apply",
        "MESH0111 VirtualService shop/front",
        routes("front", to("front", mirrors=[{"destination": {"host": "front"}}])),
        since="1.30",
        earlier="IST0106 VirtualService shop/front; MESH0111 VirtualService shop/front",
    ),
]
