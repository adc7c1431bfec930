"""What is right, though it looks like a condition that nothing meets or settings that undo each other, is not found."""

from typing import Any

import pytest

from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from tests import meshes
from tests.faults_of_requests import (
    LIMIT,
    allow,
    at_ingress,
    budget,
    cart,
    hashed,
    ingress,
    redirect,
    split,
    visitors,
)
from tests.meshes import Manifest, deployment, gateway, manifest_of, routes, server, service, to

TRUSTED = manifest_of("ConfigMap", "istio", namespace="istio-system")
TRUSTED["data"] = {"mesh": "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}"}
PROXY_PROTOCOL = manifest_of(
    "EnvoyFilter",
    "proxy-protocol",
    {
        "configPatches": [
            {
                "applyTo": "LISTENER",
                "patch": {
                    "operation": "MERGE",
                    "value": {"listener_filters": [{"name": "envoy.filters.listener.proxy_protocol"}]},
                },
            }
        ]
    },
    "istio-system",
)
OF_SIDECARS = manifest_of(
    "PeerAuthentication",
    "x",
    {
        "selector": {"matchLabels": {"app": "cart"}},
        "mtls": {"mode": "DISABLE"},
        "portLevelMtls": {"8080": {"mode": "STRICT"}},
    },
)


def matching(**match: Any) -> list[Manifest]:
    return [cart(to("cart", "v2", match=[match]), to("cart"))]


def rewriting(prefix: str, uri: str) -> list[Manifest]:
    return [cart(to("cart", match=[{"uri": {"prefix": prefix}}], rewrite={"uri": uri}))]


def set_cookie(uri: str) -> Manifest:
    changes = {"response": {"set": {"set-cookie": "seen=1"}}}
    unseen = [{"withoutHeaders": {"cookie": condition}} for condition in ({"regex": ".*seen.*"}, {})]
    return redirect(uri, *unseen) | {"headers": changes}


RIGHT = {
    "any path": matching(uri={"regex": ".*"}),
    "the end of a path": matching(uri={"regex": ".*/cart"}),
    "an optional beginning": matching(uri={"regex": "(a|)/cart"}),
    "an escaped slash": matching(uri={"regex": "\\x2fcart"}),
    "an optional query": matching(uri={"regex": "/cart(\\?.*)?"}),
    "one way with a query": matching(uri={"regex": "/cart|/x\\?y"}),
    "a host with a port": matching(authority={"exact": "cart:80"}),
    "a method of one's own": matching(method={"exact": "PURGE"}),
    "a port of the service": matching(port=80),
    "labels of a caller": matching(sourceLabels={"app": "front"}, sourceNamespace="shop"),
    "a slash on both sides": rewriting("/api/", "/v2/"),
    "a slash on neither side": rewriting("/api", "/v2"),
    "no slash where the rest has none": rewriting("/item-", "/items/"),
    "a query in place of a path": rewriting("/item/", "/items?id="),
    "a whole path": [cart(to("cart", match=[{"uri": {"exact": "/common"}}], rewrite={"uri": "/"}))],
    "a whole path by a regex": [cart(to("cart", match=[{"uri": {"regex": "/a/.*"}}], rewrite={"uri": "/b"}))],
    "origins": [
        cart(to("cart", corsPolicy={"allowOrigins": [{"exact": o} for o in ("*", "null", "https://a.example:8443")]}))
    ],
    "origins by a beginning": [cart(to("cart", corsPolicy={"allowOrigins": [{"prefix": "https://a."}]}))],
    "a redirect that another route takes": [
        visitors(to("front", match=[{"uri": {"exact": "/loop"}}]), redirect("/loop", {"uri": {"prefix": "/loop"}}))
    ],
    "a redirect out of its match": [visitors(redirect("/new", {"uri": {"prefix": "/old"}}), to("front"))],
    "a redirect to another host": [visitors(redirect("/", authority="www.example.com"))],
    "a redirect of what is posted": [visitors(redirect("/x", {"method": {"exact": "POST"}}), to("front"))],
    "a redirect that sets the cookie that it lacks": [visitors(set_cookie("/"), to("front"))],
    "a redirect that loses its query": [
        visitors(redirect("/a?done=1", {"uri": {"exact": "/a"}, "queryParams": {"x": {"exact": "1"}}}), to("front"))
    ],
    "a redirect to https that is served": [
        gateway(
            "way-in",
            server(80, ["shop.example.com"], tls={"httpsRedirect": True}),
            server(443, ["*.example.com"], "HTTPS", tls={"mode": "SIMPLE", "credentialName": "c"}),
        ),
        manifest_of("Secret", "c", namespace="istio-system"),
    ],
    "a redirect to https that the load balancer serves": [
        TRUSTED,
        gateway("way-in", server(80, ["shop.example.com"], tls={"httpsRedirect": True})),
    ],
    "a timeout with room for the tries": [
        cart(to("cart", timeout="10s", retries={"attempts": 3, "perTryTimeout": "3s"}))
    ],
    "affinity and one version": [hashed(), cart(split(v1=100, v2=0))],
    "weights without affinity": [cart(split(v1=50, v2=50))],
    "what the gateway does itself": [routes("front", to("front", timeout="3s")), visitors(to("front", timeout="1s"))],
    "what is for another service": [cart(to("cart", timeout="3s"))],
    "addresses that the gateway sees": [
        ingress(externalTrafficPolicy="Local"),
        at_ingress(ipBlocks=["192.0.2.1"]),
        LIMIT,
    ],
    "addresses within the cluster": [ingress("ClusterIP"), at_ingress(ipBlocks=["192.0.2.1"])],
    "addresses that a proxy tells": [ingress(), TRUSTED, at_ingress(remoteIpBlocks=["192.0.2.1"]), LIMIT],
    "addresses by the PROXY protocol": [ingress(), PROXY_PROTOCOL, at_ingress(ipBlocks=["192.0.2.1"])],
    "two pods of which one may go": [budget(minAvailable=1)],
    "a budget of pods that are on every node": [
        manifest_of("DaemonSet", "agent", {"template": deployment("a", {"app": "agent"})["spec"]["template"]}),
        manifest_of("PodDisruptionBudget", "b", {"selector": {"matchLabels": {"app": "agent"}}, "minAvailable": 1}),
    ],
    "an autoscaler that keeps two": [
        manifest_of(
            "HorizontalPodAutoscaler",
            "front",
            {"minReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "front"}},
        ),
        manifest_of("PodDisruptionBudget", "b", {"selector": {"matchLabels": {"app": "front"}}, "minAvailable": 1}),
    ],
    "paths with a wildcard at one end": [allow({"paths": ["/a/*", "*.css", "*", "/b"], "methods": ["GET", "*"]})],
    "any port of a pod's own": [allow({"ports": ["8080"]})],
    "the sidecar's own port": [allow({"ports": ["15021"]})],
    "a port of pods some of which say none": [
        deployment("front", {"app": "front", "version": "v1", "team": "a"}, serviceAccountName="front"),
        deployment("job", {"app": "job", "team": "a"}),
        allow({"ports": ["9999"]}, selector={"matchLabels": {"team": "a"}}),
    ],
    "a port of pods that say none": [deployment("job", {"app": "job"}), allow({"ports": ["9999"]}, app="job")],
    "HTTP where the protocol is detected": [
        deployment("db", {"app": "db"}, serviceAccountName="db"),
        manifest_of(
            "Service",
            "db",
            {"selector": {"app": "db"}, "ports": [{"name": "grpc", "port": 1}, {"name": "tcp", "port": 2}]},
        ),
        allow({"paths": ["/a"]}, app="db"),
        routes("db", to("db", match=[{"port": 1}])),
    ],
    "mutual TLS on one port": [OF_SIDECARS],
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_works_is_not_found(name: str) -> None:
    objects = [Object.read(manifest) for manifest in meshes.changed(RIGHT[name])]
    found = [found for found in analyse(objects, DEFAULT_NAMES) if found.code.startswith("MESH")]
    assert found == []


def said(*objects: Manifest) -> str:
    (found,) = analyse([Object.read(manifest) for manifest in meshes.changed(objects)], DEFAULT_NAMES)
    return found.text


def test_the_finding_of_a_services_port_names_the_pods() -> None:
    text = said(allow({"ports": ["80"]}))
    assert "listen on 8080, not on 80, by containers and Services: this never applies" in text
    assert "80 is a Service's port: write its pods' 8080" in text


def test_a_rule_that_denies_http_requests_names_the_ports_that_take_them() -> None:
    ports = [{"name": "tcp", "port": 1}, {"name": "http-a", "port": 2, "targetPort": 20}, {"name": "grpc", "port": 3}]
    pods = [deployment("db", {"app": "db"}, serviceAccountName="db"), service("db", ports)]
    text = said(*pods, allow({"paths": ["/a"]}, app="db", action="DENY"))
    assert "denies all connections there: list only HTTP ports in ports, 3, 20" in text


def test_failover_needs_outlier_detection_whose_fields_may_all_be_unset() -> None:
    policy = {"loadBalancer": {"localityLbSetting": {"failover": [{"from": "a", "to": "b"}]}}, "outlierDetection": {}}
    rule = manifest_of("DestinationRule", "front", {"host": "front", "trafficPolicy": policy})
    assert analyse([Object.read(manifest) for manifest in meshes.changed([rule])], DEFAULT_NAMES) == []


def test_a_rule_for_the_api_server_is_for_a_service_that_each_cluster_has() -> None:
    plain = {"host": "kubernetes.default.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}
    rule = manifest_of("DestinationRule", "api-server", plain, namespace="istio-system")
    assert analyse([Object.read(manifest) for manifest in meshes.changed([rule])], DEFAULT_NAMES) == []


def test_a_named_target_port_is_the_containers() -> None:
    containers = [{"name": "app", "image": "app", "ports": [{"name": "web", "containerPort": 9080}]}]
    pods = [
        deployment(f"cart-{v}", {"app": "cart", "version": v}, serviceAccountName="cart", containers=containers)
        for v in ("v1", "v2")
    ]
    named = service("cart", [{"name": "http", "port": 80, "targetPort": "web"}])
    found = said(*pods, named, allow({"ports": ["80"]}))
    assert "listen on 9080, not on 80, by containers and Services: this never applies" in found


def test_the_finding_of_a_doubled_slash_says_what_becomes_of_a_path_and_what_to_match() -> None:
    (common,) = rewriting("/common", "/")
    assert said(common).startswith("/common/x becomes //x,")
    assert said(common).endswith("match /common/* and /common")
