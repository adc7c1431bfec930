"""Rate limits: the EnvoyFilter patches, and the rate-limit service."""

import json
from typing import Any

import pytest
import yaml

from commands import render
from engine.recorder import Resource
from tests.traffic_configs import load, objects, refusal, specs

LOCAL, GLOBAL = "envoy.filters.http.local_ratelimit", "envoy.filters.http.ratelimit"


def limited(**limit: Any) -> dict[str, Any]:
    return {"services": {"reviews": {"limit": limit}}}


def routes(**limits: dict[str, Any]) -> dict[str, Any]:
    """A host with one route for each limit, by its path."""
    ways = [{"match": {"path": f"/{path}"}, "to": "reviews", "limit": limit} for path, limit in limits.items()]
    return {"hosts": {"shop": {"hosts": ["shop.example.com"], "routes": ways}}}


def patches(spec: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The `applyTo`, context and operation of each patch."""
    found = spec["configPatches"]
    return [(one["applyTo"], one["match"]["context"], one["patch"]["operation"]) for one in found]


def values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["patch"]["value"] for one in spec["configPatches"]]


def test_a_local_limit_of_a_service_is_a_token_bucket_in_its_own_sidecars() -> None:
    spec = specs(limited(requests=10, per="minute"))["EnvoyFilter/reviews-limit"]
    assert spec["workloadSelector"] == {"labels": {"app": "reviews"}}
    assert patches(spec) == [("HTTP_FILTER", "SIDECAR_INBOUND", "INSERT_BEFORE")]
    [value] = values(spec)
    assert value["name"] == LOCAL
    bucket = value["typed_config"]["value"]
    assert bucket["token_bucket"] == {"max_tokens": 10, "tokens_per_fill": 10, "fill_interval": "60s"}
    assert bucket["filter_enforced"]["default_value"] == {"numerator": 100, "denominator": "HUNDRED"}


def test_burst_sets_the_buckets_size_and_not_its_fill_rate() -> None:
    [value] = values(specs(limited(requests=10, burst=50))["EnvoyFilter/reviews-limit"])
    bucket = value["typed_config"]["value"]["token_bucket"]
    assert bucket == {"max_tokens": 50, "tokens_per_fill": 10, "fill_interval": "1s"}


def test_browsers_preflights_are_answered_before_a_local_limit_counts() -> None:
    traffic = routes(login={"requests": 5})
    assert [one["name"] for one in values(specs(traffic)["EnvoyFilter/istio-ingressgateway-limits"])[:1]] == [LOCAL]
    page = {"hosts": ["page.example.com"], "routes": [{"to": "reviews", "cors": {"allowOrigins": [{"exact": "*"}]}}]}
    traffic["hosts"]["page"] = page
    spec = specs(traffic)["EnvoyFilter/istio-ingressgateway-limits"]
    assert patches(spec)[:2] == [
        ("HTTP_FILTER", "GATEWAY", "INSERT_BEFORE"),
        ("HTTP_FILTER", "GATEWAY", "INSERT_FIRST"),
    ]
    assert [value["name"] for value in values(spec)[:2]] == [LOCAL, "envoy.filters.http.cors"]


def test_a_global_limit_is_behind_istios_own_cors_filter() -> None:
    traffic = routes(login={"requests": 5, "scope": "global"})
    traffic["hosts"]["shop"]["routes"][0]["cors"] = {"allowOrigins": [{"exact": "*"}]}
    spec = specs(traffic)["EnvoyFilter/istio-ingressgateway-limits"]
    assert "INSERT_FIRST" not in [operation for _, _, operation in patches(spec)]


def test_the_filter_selects_pods_by_app_or_by_the_given_labels() -> None:
    traffic = {"services": {"web": {"host": "front.default", "limit": {"requests": 1}}}}
    assert specs(traffic)["EnvoyFilter/web-limit"]["workloadSelector"] == {"labels": {"app": "front"}}
    traffic["services"]["web"]["workload"] = {"tier": "front"}
    assert specs(traffic)["EnvoyFilter/web-limit"]["workloadSelector"] == {"labels": {"tier": "front"}}


def test_a_limit_alone_becomes_an_envoy_filter_only() -> None:
    assert [item.body.kind for item in objects(limited(requests=1))] == ["EnvoyFilter"]


def test_the_limit_of_a_route_is_patched_at_its_gateway_by_the_routes_name() -> None:
    found = specs(routes(a={"requests": 1}, b={"requests": 2, "per": "hour"}))
    spec = found["EnvoyFilter/istio-ingressgateway-limits"]
    assert spec["workloadSelector"]["labels"]["istio"] == "ingressgateway"
    first, *rest = spec["configPatches"]
    assert (
        "token_bucket" not in first["patch"]["value"]["typed_config"]["value"]
    )  # routes without a limit stay unlimited
    names = [one["match"]["routeConfiguration"]["vhost"]["route"]["name"] for one in rest]
    assert names == [route["name"] for route in found["VirtualService/shop"]["http"]] == ["shop-0", "shop-1"]
    buckets = [one["patch"]["value"]["typed_per_filter_config"][LOCAL]["value"]["token_bucket"] for one in rest]
    assert [bucket["fill_interval"] for bucket in buckets] == ["1s", "3600s"]


def test_all_limits_of_a_gateway_are_in_one_envoy_filter() -> None:
    [found] = [
        item
        for item in objects(routes(a={"requests": 1}, b={"requests": 2, "scope": "global"}))
        if item.body.kind == "EnvoyFilter"
    ]
    assert found.namespace == "istio-system"
    kinds = ["HTTP_FILTER", "HTTP_ROUTE", "HTTP_FILTER", "CLUSTER", "HTTP_ROUTE"]
    assert [sort for sort, _, _ in patches(found.body.spec())] == kinds


def test_a_global_limit_asks_the_rate_limit_service() -> None:
    spec = specs(routes(a={"requests": 1, "scope": "global"}))["EnvoyFilter/istio-ingressgateway-limits"]
    asking, cluster, route = values(spec)
    assert asking["name"] == GLOBAL
    assert asking["typed_config"]["failure_mode_deny"] is False
    assert asking["typed_config"]["rate_limit_service"]["grpc_service"]["envoy_grpc"]["cluster_name"] == cluster["name"]
    [endpoints] = cluster["load_assignment"]["endpoints"]
    address = endpoints["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert address == {"address": "ratelimit.istio-system.svc.cluster.local", "port_value": 8081}
    assert route["route"]["rate_limits"] == [{"actions": [{"generic_key": {"descriptor_value": "hosts.shop.0"}}]}]


def test_a_global_limit_of_a_service_adds_its_cluster_once() -> None:
    spec = specs(limited(requests=1, scope="global"))["EnvoyFilter/reviews-limit"]
    assert patches(spec) == [
        ("HTTP_FILTER", "SIDECAR_INBOUND", "INSERT_BEFORE"),
        ("CLUSTER", "SIDECAR_OUTBOUND", "ADD"),  # in both contexts it would be there twice, and Envoy refuse it
        ("VIRTUAL_HOST", "SIDECAR_INBOUND", "MERGE"),
    ]


@pytest.mark.parametrize(
    ("by", "action", "key"),
    [
        ("address", {"remote_address": {}}, "remote_address"),
        ({"header": "x-user"}, {"request_headers": {"header_name": "x-user", "descriptor_key": "x-user"}}, "x-user"),
    ],
)
def test_proxy_and_rate_limit_service_identify_clients_by_the_same_key(
    by: Any, action: dict[str, Any], key: str
) -> None:
    traffic = limited(requests=3, per="day", scope="global", by=by)
    *_, value = values(specs(traffic)["EnvoyFilter/reviews-limit"])
    assert value["rate_limits"] == [{"actions": [{"generic_key": {"descriptor_value": "services.reviews"}}, action]}]
    assert load(traffic).rate_limits == [
        {
            "key": "generic_key",
            "value": "services.reviews",
            "descriptors": [{"key": key, "rate_limit": {"unit": "day", "requests_per_unit": 3}}],
        }
    ]


def test_when_unreachable_deny_refuses_requests_while_the_service_is_down() -> None:
    spec = specs(limited(requests=1, scope="global"), rateLimit={"whenUnreachable": "deny"})[
        "EnvoyFilter/reviews-limit"
    ]
    assert values(spec)[0]["typed_config"]["failure_mode_deny"] is True


@pytest.mark.parametrize(
    ("traffic", "text"),
    [
        (limited(), "services.reviews.limit.requests: is required"),
        (limited(requests=0), "services.reviews.limit.requests: 0 is not in 1.."),
        (limited(requests=1, per="week"), 'limit.per: "week" is not one of second, minute, hour, day'),
        (limited(requests=1, scope="global", burst=2), "limit.burst: is for scope local"),
        (limited(requests=1, by="address"), "limit.by: is for scope global"),
        (limited(requests=1, scope="global", by={}), "limit.by: needs exactly one of address, header"),
        (limited(requests=5, burst=2), "limit.burst: 2 at once is less than the 5 requests"),
        ({"services": {"a": {"timeout": "1s", "workload": {"a": "b"}}}}, "services.a.workload: is for limit"),
        (
            {
                "hosts": {
                    "a": {
                        "hosts": ["*"],
                        "routes": [{"redirect": {"uri": "/"}, "limit": {"requests": 1, "scope": "global"}}],
                    }
                }
            },
            "routes[0].limit.scope: cannot be global for a redirect",
        ),
    ],
)
def test_an_invalid_value_is_reported_in_one_line_with_its_key(traffic: dict[str, Any], text: str) -> None:
    message = refusal(traffic)
    assert text in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("change", ["set", "add"])
def test_a_limit_cannot_count_by_a_header_that_its_own_route_sets(change: str) -> None:
    traffic = routes(a={"requests": 1, "scope": "global", "by": {"header": "X-Tenant"}})
    route = traffic["hosts"]["shop"]["routes"][0]
    route["headers"] = {"request": {change: {"x-tenant": "a"}}}
    assert "hosts.shop.routes[0].limit.by.header: is set by headers.request of this route" in refusal(traffic)
    route["headers"] = {"request": {"remove": ["x-tenant"]}, "response": {"set": {"x-tenant": "a"}}}
    specs(traffic)


def test_an_unknown_gateway_or_namespace_is_reported_once() -> None:
    host = routes(a={"requests": 1})["hosts"]["shop"]
    assert len(refusal({"hosts": {"shop": {**host, "gateway": "edge"}}}).splitlines()) == 1
    service = {"namespace": "shop", "limit": {"requests": 1}}
    assert len(refusal({"services": {"reviews": service}}).splitlines()) == 1


def test_the_rate_limit_service_needs_a_namespace_without_injection() -> None:
    message = refusal(limited(requests=1, scope="global"), rateLimit={"namespace": "default"})
    assert message.startswith("mesh:rateLimit.namespace: default is not one of mesh:namespaces")


@pytest.fixture(scope="module")
def hardened() -> list[Resource]:
    recorded: list[Resource] = render.record("hardened")
    return recorded


def named(resources: list[Resource], kind: str, name: str) -> dict[str, Any]:
    [found] = [r for r in resources if r.type.endswith(f":{kind}") and r.name == name]
    return dict(found.inputs)


@pytest.mark.parametrize("name", ["ratelimit", "ratelimit-redis"])
def test_the_rate_limit_pods_run_without_privileges_and_tokens(hardened: list[Resource], name: str) -> None:
    pod = named(hardened, "Deployment", name)["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert pod["automountServiceAccountToken"] is False
    assert named(hardened, "ServiceAccount", name)["automountServiceAccountToken"] is False
    assert container["resources"]["limits"]
    assert ":" in container["image"].rpartition("/")[2]


def test_only_the_rate_limit_service_may_connect_to_redis(hardened: list[Resource]) -> None:
    spec = named(hardened, "NetworkPolicy", "ratelimit-redis")["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app": "ratelimit-redis"}}
    assert spec["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"app": "ratelimit"}}}]


def test_the_rate_limit_services_config_has_every_global_limit(hardened: list[Resource]) -> None:
    config = yaml.safe_load(named(hardened, "ConfigMap", "ratelimit-config")["data"]["config.yaml"])
    assert config["domain"] == "mesh"
    assert [one["value"] for one in config["descriptors"]] == ["hosts.bookinfo.0"]


def test_a_changed_limit_restarts_the_rate_limit_service() -> None:
    def checksum(requests: int) -> Any:
        traffic = limited(requests=requests, scope="global")
        config = {"mesh:profile": "demo", "mesh:injectedNamespaces": '{"default": "existing"}'}
        recorded = render.record("x", {**config, "mesh:traffic": json.dumps(traffic)})
        return named(recorded, "Deployment", "ratelimit")["spec"]["template"]["metadata"]["annotations"]

    assert checksum(1) != checksum(2)


def test_without_a_global_limit_there_is_no_rate_limit_service() -> None:
    assert load(limited(requests=1)).rate_limits == []
