"""What an Istio leaves on a cluster, by the names of every release."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import leftovers
from cluster.client import Answer
from mesh.core import names
from tests.fake_api import FakeApi, denied, listing, namespace


def configuration(name: str, hook: str = "a.example.com", service: str = "a") -> dict[str, Any]:
    called = {"service": {"name": service, "namespace": "istio-system"}}
    return {"metadata": {"name": name}, "webhooks": [{"name": hook, "clientConfig": called}]}


@pytest.mark.parametrize(
    "found",
    [
        configuration("istio-galley", "pilot.validation.istio.io", "istio-galley"),
        configuration("istio-sidecar-injector", "sidecar-injector.istio.io", "istio-sidecar-injector"),
        configuration("istiod-istio-system", "validation.istio.io", "istiod"),
        configuration("istio-validator-istio-system", "rev.validation.istio.io", "istiod"),
        configuration("istio-validator-canary-istio-system", "rev.validation.istio.io", "istiod-canary"),
        configuration("istiod-default-validator", "validation.istio.io", "istiod"),
        configuration("istio-sidecar-injector-canary", "rev.object.sidecar-injector.istio.io", "istiod-canary"),
        configuration("istio-revision-tag-prod", "rev.namespace.sidecar-injector.istio.io", "istiod-1-30-3"),
        configuration("renamed", "validation.istio.io"),
        configuration("renamed", service="istiod-revision-tag-prod"),
        {"metadata": {"name": "istio-validator-istio-system"}},
        {"metadata": {"name": "of-url"}, "webhooks": [{"name": "validation.istio.io", "clientConfig": {"url": "x"}}]},
    ],
    ids=lambda found: found["metadata"]["name"],
)
def test_webhooks_of_every_release_are_recognised(found: dict[str, Any]) -> None:
    assert leftovers.is_istios(found)


@pytest.mark.parametrize(
    "found",
    [
        configuration("cert-manager-webhook", "webhook.cert-manager.io", "cert-manager-webhook"),
        configuration("istio-operator-of-others", "check.example.com", "gatekeeper"),
        configuration("kiali", "validation.istio.io.example.com"),
        {"metadata": {"name": "empty"}},
    ],
    ids=lambda found: found["metadata"]["name"],
)
def test_webhooks_of_others_are_not(found: dict[str, Any]) -> None:
    assert not leftovers.is_istios(found)


CLUSTER = {
    f"GET {leftovers.VALIDATORS}": listing(configuration("istio-validator-istio-system"), configuration("gatekeeper")),
    "GET /apis/rbac.authorization.k8s.io/v1/clusterroles": listing(
        *(
            {"metadata": {"name": name}}
            for name in ("istio-reader-clusterrole-istio-system", "istio-citadel-x", "admin")
        )
    ),
    "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions": listing(
        {"metadata": {"name": "rules.config.istio.io"}, "spec": {"group": "config.istio.io"}},
        {
            "metadata": {"name": "gateways.networking.istio.io", "annotations": {names.OWNER_PROJECT: "mesh"}},
            "spec": {"group": "networking.istio.io"},
        },
        {"metadata": {"name": "certificates.cert-manager.io"}, "spec": {"group": "cert-manager.io"}},
    ),
    "GET /apis/coordination.k8s.io/v1/leases": listing(
        {"metadata": {"name": "istio-gateway-deployment-default", "namespace": "istio-system"}},
        {"metadata": {"name": "node-1", "namespace": "kube-node-lease"}},
    ),
    "GET /apis/gateway.networking.k8s.io/v1/gatewayclasses": listing(
        {"metadata": {"name": "istio"}, "spec": {"controllerName": "istio.io/gateway-controller"}},
        {"metadata": {"name": "nginx"}, "spec": {"controllerName": "gateway.nginx.org/controller"}},
    ),
    "GET /api/v1/namespaces": listing(namespace("shop", **{"istio.io/rev": "canary"}), namespace("default")),
    "GET /api/v1/secrets": denied("secrets"),
}


def test_what_is_left_is_listed_with_the_command_that_removes_it() -> None:
    found = {str(one): one.removal("here") for one in leftovers.readable(FakeApi(CLUSTER))}
    assert found == {
        "lease istio-system/istio-gateway-deployment-default": (
            "kubectl delete lease istio-gateway-deployment-default --namespace istio-system --context here"
        ),
        "gatewayclass istio": "kubectl delete gatewayclass istio --context here",
        "validatingwebhookconfiguration istio-validator-istio-system": (
            "kubectl delete validatingwebhookconfiguration istio-validator-istio-system --context here"
        ),
        "clusterrole istio-reader-clusterrole-istio-system": (
            "kubectl delete clusterrole istio-reader-clusterrole-istio-system --context here"
        ),
        "clusterrole istio-citadel-x": "kubectl delete clusterrole istio-citadel-x --context here",
        "customresourcedefinition rules.config.istio.io": (
            "kubectl delete customresourcedefinition rules.config.istio.io --context here"
        ),
        "label istio.io/rev of namespace shop": "kubectl label namespace shop istio.io/rev- --context here",
    }


def test_an_object_is_found_again_at_its_path() -> None:
    lease, *_ = leftovers.readable(FakeApi(CLUSTER))
    assert lease.path == (
        "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/istio-gateway-deployment-default"
    )


def test_a_cluster_that_never_had_an_istio_has_nothing_left() -> None:
    assert list(leftovers.readable(FakeApi())) == []
    assert list(leftovers.made_by_istiod(FakeApi({"GET /api/v1/configmaps": Answer(404)}))) == []
