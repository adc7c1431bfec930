"""Compiled stacks: the config keys of objects and of their fields."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.analysis.analyse import analyse
from mesh.analysis.objects import Object
from mesh.config.stack import Stack
from mesh.core.names import DEFAULT_NAMES
from tests import traffic_configs
from tests.releases import RELEASE


def located(stack: Stack) -> dict[str, Object]:
    """The objects of traffic and security, by kind and name, as analysis sees them."""
    things = stack.with_origins(Object.read(item.manifest(RELEASE.api)) for item in (*stack.traffic, *stack.security))
    return {f"{thing.kind}/{thing.name}": thing for thing in things}


EVERYTHING = located(traffic_configs.everything())


@pytest.mark.parametrize(
    ("thing", "path", "key"),
    [
        ("VirtualService/reviews", "http[2].route[1].weight", "services.reviews.route"),
        ("VirtualService/reviews", "http[0].route[0].destination.subset", "services.reviews.rules[0].route"),
        ("VirtualService/reviews", "http[1].match[2]", "services.reviews.rules[1].match"),
        ("VirtualService/reviews", "http[1].timeout", "services.reviews.rules[1].timeout"),
        ("VirtualService/reviews", "http[0].timeout", "services.reviews.timeout"),
        ("VirtualService/reviews", "http[0]", "services.reviews.rules[0]"),
        ("VirtualService/reviews", "http[10].timeout", "services.reviews"),
        ("VirtualService/reviews", "hosts[0]", "services.reviews"),
        ("DestinationRule/reviews", "subsets[1]", "services.reviews.versions.v2"),
        (
            "DestinationRule/reviews",
            "trafficPolicy.outlierDetection",
            "services.reviews.circuitBreaker.outlierDetection",
        ),
        ("DestinationRule/ratings", "trafficPolicy.loadBalancer.simple", "services.ratings.balancing"),
        ("EnvoyFilter/reviews-limit", "configPatches[0]", "services.reviews.limit"),
        ("Gateway/bookinfo-gateway", "servers[0].tls.credentialName", "hosts.bookinfo.tls"),
        ("Gateway/bookinfo-gateway", "selector", "hosts.bookinfo.gateway"),
        ("VirtualService/bookinfo", "hosts[1]", "hosts.bookinfo.hosts"),
        ("VirtualService/bookinfo", "http[1].route[1].destination.host", "hosts.bookinfo.routes[1].to[1]"),
        ("VirtualService/bookinfo", "http[3].route[0].destination.host", "hosts.bookinfo.routes[3].to"),
        ("ServiceEntry/direct", "hosts[0]", "egress.direct"),
    ],
)
def test_a_field_of_an_object_is_traced_to_its_config_key(thing: str, path: str, key: str) -> None:
    assert EVERYTHING[thing].source(path) == f"mesh:traffic.{key}"


@pytest.mark.parametrize(
    ("thing", "key"),
    [
        ("PeerAuthentication/namespace-shop", "mtls.namespaces.shop"),
        ("PeerAuthentication/metrics", "mtls.workloads.metrics"),
        ("AuthorizationPolicy/cart", "authorization.allow.cart"),
        ("AuthorizationPolicy/reviews", "authorization.bookinfo"),
        ("AuthorizationPolicy/default-default-deny", "authorization"),
        ("RequestAuthentication/istio-ingressgateway-jwt", "jwt"),
    ],
)
def test_a_security_rule_is_traced_to_its_config_entry(thing: str, key: str) -> None:
    assert EVERYTHING[thing].source("spec") == f"mesh:security.{key}"


def test_an_object_that_is_not_from_the_config_keeps_its_origin() -> None:
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews", "namespace": "default"}}
    service = Object.read(manifest, "mesh:bookinfo")
    [found] = traffic_configs.everything().with_origins([service])
    assert found.source("ports[0]") == "mesh:bookinfo"


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"services": {"reviews": {"versions": ["v1"], "route": "v1"}}},
            "http[0].route[0].destination.host (from mesh:traffic.services.reviews.route)",
        ),
        (
            {"hosts": {"shop": {"hosts": ["shop.example.com"], "routes": [{"to": "cart"}]}}},
            "http[0].route[0].destination.host (from mesh:traffic.hosts.shop.routes[0].to)",
        ),
    ],
)
def test_a_finding_shows_the_config_key(config: dict[str, Any], line: str) -> None:
    found = analyse(located(traffic_configs.load(config)).values(), DEFAULT_NAMES)
    assert any(line in str(finding) for finding in found), found
