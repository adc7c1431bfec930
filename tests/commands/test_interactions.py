"""What the analysis says of settings of a whole stack that match nothing, mangle requests, or undo each other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commands import analyze, render
from mesh.analysis.analyse import analyse
from mesh.config import loading

pytestmark = pytest.mark.slow

BOOKINFO = {
    "profile": "demo",
    "gatewayServiceType": "LoadBalancer",
    "injectedNamespaces": {"default": "existing"},
    "bookinfo": {"namespace": "default"},
}
BUDGET = "MESH0114"
REVIEWS = {"versions": ["v1", "v2", "v3"], "route": {"v1": 50, "v2": 50}, "affinity": {"cookie": "user"}}
PAGE = {"service": "productpage", "port": 9080}
LIMIT = {"requests": 5, "per": "minute", "scope": "global", "by": "address"}


def stack(**keys: Any) -> list[str]:
    """The findings of a stack."""
    config = {f"mesh:{key}": v if isinstance(v, str) else json.dumps(v) for key, v in {**BOOKINFO, **keys}.items()}
    read = loading.load(config)
    made = read.with_origins(analyze.objects(render.record("x", config, read)))
    return [str(found) for found in analyse(made, read.settings.mesh_names)]


def found(**keys: Any) -> list[str]:
    """The findings of a stack, without those about budgets."""
    return [text for text in stack(**keys) if not text.startswith(BUDGET)]


def allow(**fields: Any) -> dict[str, Any]:
    whole = {"workload": {"app": "ratings"}, "accounts": ["bookinfo-reviews"], **fields}
    return {"authorization": {"allow": {"ratings": whole}}}


def routes(*parts: dict[str, Any], **services: Any) -> dict[str, Any]:
    """Routes at the gateway that lead nowhere else but to the product page in the end."""
    entry = {"hosts": ["h.example.com"], "routes": list(parts)}
    return {
        "bookinfo": {"gateway": False, "namespace": "default"},
        "traffic": {"hosts": {"h": entry}, "services": services},
    }


@pytest.mark.parametrize(
    ("keys", "said", "way"),
    [
        (
            {"security": allow(ports=[80])},
            "(from mesh:security.authorization.allow.ratings): its pods listen on 9080, not on 80,",
            "by containers and Services: this never applies",
        ),
        (
            {"security": {"mtls": {"workloads": {"x": {"labels": {"app": "ratings"}, "ports": {8000: "STRICT"}}}}}},
            "(from mesh:security.mtls.workloads.x): its pods listen on 9080, not on 8000,",
            "by containers and Services: this never applies",
        ),
        (
            routes({"match": {"path": "/common*"}, "to": PAGE, "rewrite": "/"}),
            "(from mesh:traffic.hosts.h.routes[0].rewrite): /common/x becomes //x",
            "match /common/* and /common",
        ),
        (
            {"traffic": {"services": {"reviews": REVIEWS}}},
            "(from mesh:traffic.services.reviews.route): the affinity of DestinationRule default/reviews does not keep",
            "send some clients to one version with a match on a header or cookie",
        ),
        (
            {"traffic": {"services": {"productpage": {"fault": {"abort": 503}}}}},
            "(from mesh:traffic.services.productpage.fault): VirtualService default/bookinfo routes from the gateway"
            " to",
            "replace that with an entry of mesh:traffic.hosts that sets it (and mesh:bookinfo.gateway: false)",
        ),
        (
            routes({"to": PAGE}, productpage={"timeout": "3s", "retries": 3}),
            "bypasses this: timeout, retries do nothing to requests from outside",
            "set them in mesh:traffic.hosts.h.routes[0], too",
        ),
        (
            routes({"to": PAGE, "limit": LIMIT}),
            "Service istio-system/istio-ingressgateway hides clients' addresses",
            "externalTrafficPolicy: Local",
        ),
        (
            routes({"match": {"path": "/loop*"}, "redirect": {"uri": "/loop"}}, {"to": PAGE}),
            "(from mesh:traffic.hosts.h.routes[0]): /loop is redirected again, without end",
            "put a route for it before this one, or match less",
        ),
    ],
)
def test_what_does_nothing_or_too_much_is_warned_of_with_the_way_that_works(
    keys: dict[str, Any], said: str, way: str
) -> None:
    (text,) = found(**keys)
    assert said in text
    assert way in text


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"security": allow(ports=[9080], paths=["/ratings/*"])},
        {"security": {"mtls": {"workloads": {"x": {"labels": {"app": "ratings"}, "ports": {9080: "STRICT"}}}}}},
        routes({"match": [{"path": "/common/*"}, {"path": "/common"}], "to": PAGE, "rewrite": "/"}),
        {"traffic": {"services": {"reviews": {**REVIEWS, "route": "v1"}}}},
        routes({"to": PAGE, "timeout": "3s", "retries": 3, "fault": {"abort": 503, "percent": 1}})
        | {"analysis": {"suppress": [{"code": "MESH0104", "object": "*", "reason": "a test"}]}},
        routes({"match": {"path": "/loop"}, "to": PAGE}, {"match": {"path": "/loop*"}, "redirect": {"uri": "/loop"}}),
        routes({"to": PAGE, "limit": LIMIT})
        | {"gateways": {"istio-ingressgateway": {"externalTrafficPolicy": "Local"}}},
    ],
)
def test_the_way_that_works_is_not_warned_of(keys: dict[str, Any]) -> None:
    assert [text for text in found(**keys) if not text.startswith("MESH0104")] == []


def test_one_pod_with_a_disruption_budget_is_warned_of() -> None:
    texts = [text for text in stack() if text.startswith(BUDGET)]
    assert len(texts) == 3
    assert all("kubectl drain waits forever" in text for text in texts)


@pytest.mark.parametrize(
    "keys",
    [
        {"global": {"defaultPodDisruptionBudget": {"enabled": False}}},
        {
            "pilot": {"replicaCount": 2},
            "gateways": {"istio-ingressgateway": {"replicaCount": 2}, "istio-egressgateway": {"replicaCount": 2}},
        },
        {
            "profile": "default",
            "pilot": {"autoscaleMin": 2},
            "gateways": {"istio-ingressgateway": {"autoscaleMin": 2}},
        },
    ],
)
def test_two_pods_or_no_budget_let_a_node_be_drained(keys: dict[str, Any]) -> None:
    assert [text for text in stack(**keys) if text.startswith(BUDGET)] == []
